// @ts-check
// The door: which event and which gate, then tickets, one after another.
import { html, signal } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { place } from '../../core/router.js';
import { hasRole, sessionState } from '../../core/session.js';
import { Empty, Heading } from '../../parts/states.js';
import { useStyle } from '../../parts/style.js';
import { Choose } from './choose.js';
import { Gate } from './gate.js';

const GATE = 'karcis.door.gate';

/** What this door is called: the same device stands at the same door. */
const gate = signal(localStorage.getItem(GATE) ?? '');

/** @param {string} name */
function setGate(name) {
  gate.value = name;
  localStorage.setItem(GATE, name);
}

export default function Door() {
  const isStyled = useStyle('door');
  const { rest } = place.value.params;
  if (!hasRole('door', 'organiser', 'admin') && sessionState.value === 'in') {
    return html`<div class="wide page"><${Heading}>${t('door.title')}</><${Empty} icon="shield" title=${t('door.not-yours')}><p>${t('door.not-yours-text')}</p></></div>`;
  }
  if (!isStyled) return null;
  if (rest && gate.value) return html`<${Gate} key=${rest} id=${rest} gate=${gate.value} />`;
  return html`<${Choose} gate=${gate.value} onGate=${setGate} next=${rest} />`;
}
