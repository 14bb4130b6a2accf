// @ts-check
// What a bank asks of the buyer: a page to open, an account to transfer to, or a code to scan.
import { html, useEffect, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Countdown } from '../../parts/countdown.js';
import { Icon } from '../../parts/icons.js';
import { priceText } from '../../parts/lines.js';
import { toast } from '../../parts/toasts.js';

/** @import { NextAction as Action, Payment } from '../../types.js' */

/** @param {{ text: string }} props */
function Copy({ text }) {
  const copy = () => navigator.clipboard.writeText(text).then(() => toast(t('copied')), () => null);
  return html`<button type="button" class="button small" onClick=${copy}><${Icon} name="copy" size=${16} />${t('copy')}</button>`;
}

/** A QR code of a text, drawn here. @param {{ text: string }} props */
function Code({ text }) {
  const [path, setPath] = useState(/** @type {{ size: number, d: string } | null} */ (null));
  useEffect(() => {
    let isCurrent = true;
    void import('lean-qr').then(({ generate }) => {
      const code = generate(text);
      let d = '';
      for (let y = 0; y < code.size; y += 1) for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) d += `M${x} ${y}h1v1h-1z`;
      if (isCurrent) setPath({ size: code.size, d });
    });
    return () => { isCurrent = false; };
  }, [text]);
  if (!path) return html`<span class="qr bone" />`;
  const edge = path.size + 8;
  return html`<svg class="qr" viewBox=${`-4 -4 ${edge} ${edge}`} role="img" aria-label=${t('action.qr-label')}>
    <rect x="-4" y="-4" width=${edge} height=${edge} fill="#fff" /><path d=${path.d} fill="#000" shape-rendering="crispEdges" /></svg>`;
}

/** Only addresses of the web are links. @param {string} url */
const isWeb = (url) => /^https?:\/\//i.test(url);

/** @param {{ payment: Payment, action: Action }} props */
export function NextAction({ payment, action }) {
  return html`<div class="box action" role="status">
    <h2>${t(`action.${action.kind}`)}</h2>
    <p>${t(`action.${action.kind}-text`, { amount: priceText(payment.amount) })}</p>
    ${action.kind === 'redirect' && isWeb(action.url) && html`<a class="button primary big" href=${action.url} target="_blank" rel="noreferrer">${t('action.open')}</a>`}
    ${action.kind === 'virtual_account' && html`<p class="account"><strong>${action.number.replace(/(\d{4})(?=\d)/g, '$1 ')}</strong><${Copy} text=${action.number} /></p>`}
    ${action.kind === 'qr' && html`<${Code} text=${action.text} />`}
    ${action.kind === 'qr' && isWeb(action.text) && html`<p><a href=${action.text} target="_blank" rel="noreferrer">${t('action.open')}</a></p>`}
    <${Countdown} until=${action.expires_at} label=${t('action.until')} />
    <p class="fine waiting"><span class="spinner" aria-hidden="true" />${t('action.waiting')}</p>
  </div>`;
}
