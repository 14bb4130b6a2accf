// @ts-check
// Cancels a booking, after saying how much money comes back.
import { post } from '../../core/api.js';
import { html, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Dialog } from '../../parts/dialog.js';
import { FormProblem, Submit, useForm } from '../../parts/form.js';
import { priceText } from '../../parts/lines.js';
import { toast } from '../../parts/toasts.js';

/** @import { Booking } from '../../types.js' */

/** @param {{ booking: Booking, onChange: (booking: Booking) => void }} props */
export function Cancel({ booking, onChange }) {
  const [isOpen, open] = useState(false);
  const form = useForm(async () => {
    onChange(await post('/booking/cancel', { booking_id: booking.booking_id }));
    open(false);
    toast(t('cancel.done'));
  });
  const isPaid = ['confirming', 'confirmed'].includes(booking.status) && booking.total && booking.total.amount > 0;
  return html`<button type="button" class="button danger quiet" onClick=${() => open(true)}>${t('cancel.title')}</button>
    ${isOpen && html`<${Dialog} title=${t('cancel.sure')} onClose=${() => open(false)}>
      <form onSubmit=${form.submit}>
        <p>${t('cancel.text')}</p>
        <p class="refund-line"><span>${t('cancel.refund')}</span><strong>${isPaid && booking.total ? priceText(booking.total) : t('cancel.nothing')}</strong></p>
        <${FormProblem} form=${form} />
        <div class="actions"><button type="button" class="button" onClick=${() => open(false)}>${t('cancel.keep')}</button>
          <${Submit} class="danger" isBusy=${form.isBusy}>${t('cancel.do')}</></div>
      </form>
    </>`}`;
}
