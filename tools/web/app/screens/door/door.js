// @ts-check
// The door: its screens come here.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Empty, Heading } from '../../parts/states.js';

export default function Door() {
  return html`<div class="wide page"><${Heading}>${t('door.title')}</><${Empty} title=${t('door.soon')} /></div>`;
}
