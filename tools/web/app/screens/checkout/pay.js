// @ts-check
// Pays a booking: the gateway's methods, declines, and what a bank asks of the buyer.
import { get, post } from '../../core/api.js';
import { attemptKey, dropAttempt, dropCart } from '../../core/cart.js';
import { html, useEffect, useRef, useState } from '../../core/html.js';
import { hasText, t, tn } from '../../core/i18n.js';
import { useLive, useResource } from '../../core/resource.js';
import { go } from '../../core/router.js';
import { Countdown } from '../../parts/countdown.js';
import { Submit } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { priceText } from '../../parts/lines.js';
import { Loaded, Notice, wordsOf } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { NextAction } from './next-action.js';

/** @import { Booking, List, Method, Payment } from '../../types.js' */
/** @import { Problem } from '../../core/api.js' */

/** @param {Payment} payment */
const isOver = ({ status }) => !['open', 'processing', 'action_required'].includes(status);

/** @param {string} method */
const iconOf = (method) => (method.includes('virtual_account') || method.includes('bank') ? 'bank' : method.includes('qr') ? 'qr' : 'card');

/** @param {number} seconds */
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/**
 * One attempt. While the booking is not payable yet it is tried again; the key makes it one charge.
 * @param {string} bookingId @param {string} method
 * @returns {Promise<Payment>}
 */
async function process(bookingId, method) {
  const key = attemptKey(bookingId, method);
  for (let tries = 0; ; tries += 1) {
    try {
      const payment = await post('/payment/process', { booking_id: bookingId, method }, { key });
      dropAttempt(bookingId);
      return payment;
    } catch (error) {
      const problem = /** @type {Problem} */ (error);
      const isEarly = problem.status === 404 && problem.retryAfterS !== null;
      if (!isEarly || tries >= 5) {
        if (problem.slug !== 'offline' && !problem.isPassing) dropAttempt(bookingId);
        throw problem;
      }
      await sleep(Math.min(5, problem.retryAfterS ?? 1));
    }
  }
}

/** Why a method was declined, and what helps. @param {{ code: string | null, left: number, retryable?: boolean }} props */
function Declined({ code, left, retryable = true }) {
  const known = `decline.${code}`;
  const notice = useRef(/** @type {any} */ (null));
  useEffect(() => { notice.current?.focus(); }, [code, left]);
  return html`<div ref=${notice} class="notice failed" role="alert" tabindex="-1"><${Icon} name="warning" /><div>
    <p><strong>${hasText(known) ? t(known) : t('decline.other')}</strong></p>
    <p>${t(retryable ? 'decline.help' : 'decline.help-other')} ${tn('decline.left', left)}</p>
  </div></div>`;
}

/** @param {{ methods: Method[], value: string, onChange: (method: string) => void }} props */
function Methods({ methods, value, onChange }) {
  return html`<fieldset class="methods"><legend>${t('pay.method')}</legend>
    ${methods.map(({ method, label, description }) => html`<label key=${method} class="method">
      <input type="radio" name="method" value=${method} checked=${value === method} onChange=${() => onChange(method)} required />
      <span class="method-icon"><${Icon} name=${iconOf(method)} /></span>
      <span><strong>${label}</strong><small>${description}</small></span>
    </label>`)}
  </fieldset>`;
}

/** @param {{ booking: Booking, payment: Payment, onPayment: (payment: Payment) => void, onStale: () => void }} props */
function PayForm({ booking, payment, onPayment, onStale }) {
  const methods = useResource((signal) => get('/payment/methods', { signal, isPublic: true }), []);
  const [method, setMethod] = useState('');
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const isRunning = useRef(false);
  const last = payment.attempts.at(-1);
  /** @param {Event} event @param {string} chosen */
  async function pay(event, chosen) {
    event.preventDefault();
    if (isRunning.current || !chosen) return;
    isRunning.current = true;
    setBusy(true);
    setProblem(null);
    try {
      onPayment(await process(booking.booking_id, chosen));
    } catch (error) {
      if (!(error instanceof Error && 'slug' in error)) throw error;
      setProblem(/** @type {Problem} */ (error));
      if (/** @type {Problem} */ (error).status !== 0) onStale();
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  }
  const isDeclined = problem?.slug === 'payment-declined';
  return html`<${Loaded} of=${methods}>${(/** @type {List<Method>} */ { items }) => {
    const chosen = method || items[0]?.method || '';
    return html`<form class="box" onSubmit=${(/** @type {Event} */ event) => void pay(event, chosen)}>
      ${isDeclined && html`<${Declined} code=${problem.body.decline_code} left=${problem.body.attempts_left} retryable=${problem.body.retryable} />`}
      ${!problem && !isBusy && last?.outcome === 'declined' && html`<${Declined} code=${last.decline_code} left=${payment.attempts_left} />`}
      ${problem && !isDeclined && html`<${Notice} kind="failed" role="alert"><p>${wordsOf(problem)}</p></>`}
      <${Methods} methods=${items} value=${chosen} onChange=${setMethod} />
      <${Submit} class="full big" isBusy=${isBusy}>${isBusy ? t('pay.asking') : t('pay.do', { amount: priceText(payment.amount) })}</>
      <p class="fine centred"><${Icon} name="shield" size=${16} /> ${t('pay.safe')}</p>
    </form>`;
  }}</>`;
}

/** @param {{ booking: Booking, onChange: (booking: Booking) => void }} props */
function GiveBack({ booking, onChange }) {
  const cancel = async () => {
    try {
      onChange(await post('/booking/cancel', { booking_id: booking.booking_id }));
      dropCart(booking.event.event_id);
      toast(t('checkout.returned'));
      go(`/e/${booking.event.event_id}`);
    } catch (error) {
      toast(wordsOf(/** @type {Problem} */ (error)), 'failed');
    }
  };
  return html`<p class="aside"><button type="button" class="link" onClick=${cancel}>${t('checkout.return')}</button></p>`;
}

/** @param {{ booking: Booking, onChange: (booking: Booking) => void, onStale: () => void }} props */
export function Pay({ booking, onChange, onStale }) {
  const path = `/payment/status?booking_id=${encodeURIComponent(booking.booking_id)}`;
  const payment = useLive(path, isOver);
  const stale = () => { payment.retry(); onStale(); };
  return html`
    ${booking.pay_by && html`<${Countdown} until=${booking.pay_by} label=${t('pay.held-for')} onOver=${onStale} />`}
    <${Loaded} of=${payment}>${(/** @type {Payment} */ data) => {
      if (data.status === 'action_required' && data.next_action) return html`<${NextAction} payment=${data} action=${data.next_action} />`;
      if (data.status === 'open') return html`<${PayForm} booking=${booking} payment=${data} onPayment=${payment.set} onStale=${stale} />`;
      return html`<div class="box state" role="status"><span class="spinner big" aria-hidden="true" />
        <h2>${t(data.status === 'succeeded' ? 'pay.paid' : data.status === 'processing' ? 'pay.processing' : 'pay.ending')}</h2>
        <p>${t(data.status === 'processing' ? 'pay.processing-text' : 'pay.paid-text')}</p></div>`;
    }}</>
    <${GiveBack} booking=${booking} onChange=${onChange} />`;
}
