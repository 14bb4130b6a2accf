// @ts-check
// An act of an operator: what it does, why it is done, and what came of it.
import { post } from '../../core/api.js';
import { html, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, FormProblem, Submit, useForm } from '../../parts/form.js';
import { toast } from '../../parts/toasts.js';

/** How the provider may have answered about a payment; what was done by hand where money is to go back. */
const OUTCOMES = { payment: ['approved', 'declined', 'voided'], back: ['refunded', 'ask_again'] };

/**
 * @typedef {object} Act
 * @property {'resume' | 'cancel' | 'settle' | 'ask' | 'redrive' | 'resend' | 'discard' | 'close'} kind
 * @property {string} path
 * @property {string} about what it is done to
 * @property {string | null} [attempt] which attempt is settled
 * @property {boolean} [isAttempt] whether that is a payment, not money that is to go back
 */

/** What an answer says was done. @param {Act['kind']} kind @param {any} answer */
function resultOf(kind, answer) {
  if (answer?.is_repeated || answer?.is_changed === false) return t('console.done-before');
  return t(`console.${kind}.done`);
}

/** @param {{ act: Act, onClose: () => void, onDone: () => void }} props */
function ActDialog({ act, onClose, onDone }) {
  const isGrave = act.kind === 'cancel' || act.kind === 'discard' || act.kind === 'settle';
  const form = useForm(async ({ reason, outcome, reference }) => {
    const settled = act.kind === 'settle' ? { outcome, reference, attempt_id: act.attempt ?? null } : {};
    const answer = await post(act.path, { reason, ...settled });
    toast(resultOf(act.kind, answer));
    onClose();
    onDone();
  });
  return html`<${Dialog} title=${t(`console.${act.kind}`)} onClose=${onClose}>
    <p>${t(`console.${act.kind}.text`)}</p>
    <p class="fine"><code>${act.about}</code></p>
    <form onSubmit=${form.submit}>
      ${act.kind === 'settle' && html`
        <${Field} label=${t('console.outcome')} name="outcome" form=${form}>
          ${OUTCOMES[act.isAttempt ? 'payment' : 'back'].map((name) => html`<option key=${name} value=${name}>${t(`console.outcome.${name}`)}</option>`)}
        </>
        <${Field} label=${t('console.reference')} name="reference" form=${form} hint=${t('console.reference-hint')} required maxlength="200" autocomplete="off" />`}
      <${Field} label=${t('console.reason')} name="reason" form=${form} hint=${t('console.reason-hint')} required maxlength="500" autocomplete="off" autofocus />
      <${FormProblem} form=${form} fields=${['reason', 'reference', 'outcome']} />
      <div class="actions">
        <button type="button" class="button quiet" onClick=${onClose}>${t('console.not-now')}</button>
        <${Submit} isBusy=${form.isBusy} class=${isGrave ? 'danger' : ''}>${t(`console.${act.kind}`)}</>
      </div>
    </form>
  </>`;
}

/** A button for each act, and its dialog. @param {{ acts: Act[], onDone: () => void }} props */
export function Acts({ acts, onDone }) {
  const [open, setOpen] = useState(/** @type {Act | null} */ (null));
  return html`<div class="actions">
    ${acts.map((act) => html`<button type="button" key=${act.kind} class=${`button small ${act.kind === 'cancel' || act.kind === 'discard' ? 'danger' : ''}`}
      onClick=${() => setOpen(act)}>${t(`console.${act.kind}`)}</button>`)}
    ${open && html`<${ActDialog} act=${open} onClose=${() => setOpen(null)} onDone=${onDone} />`}
  </div>`;
}
