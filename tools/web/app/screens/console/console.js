// @ts-check
// The console: its screens come here.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Empty, Heading } from '../../parts/states.js';

export default function Console() {
  return html`<div class="wide page"><${Heading}>${t('console.title')}</><${Empty} title=${t('console.soon')} /></div>`;
}
