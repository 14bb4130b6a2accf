// @ts-check
// What happened to a booking, step by step and in words, while it happens.
import { get } from '../../core/api.js';
import { time } from '../../core/format.js';
import { html, useEffect, useRef } from '../../core/html.js';
import { hasText, t } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { Loaded } from '../../parts/states.js';

/** @import { Booking, List, TimelineEntry } from '../../types.js' */

/** @param {TimelineEntry} entry */
function wordsOf({ input, to, from }) {
  if (from === null) return t('timeline.created');
  const exact = `timeline.${input}.${to}`;
  if (hasText(exact)) return t(exact);
  return hasText(`timeline.${input}`) ? t(`timeline.${input}`) : input;
}

/** @param {{ booking: Booking, connection: string }} props */
export function Timeline({ booking, connection }) {
  const timeline = useResource((signal) => get(`/bookings/${booking.booking_id}/timeline`, { signal }), [booking.booking_id]);
  const seen = useRef(booking.version);
  useEffect(() => {
    if (seen.current !== booking.version) timeline.retry();
    seen.current = booking.version;
  }, [booking.version]);
  return html`<section class="box timeline"><h2>${t('timeline.title')}
      ${connection !== 'off' && html`<span class=${`live ${connection}`}>${t(`live.${connection}`)}</span>`}</h2>
    <${Loaded} of=${timeline}>${(/** @type {List<TimelineEntry>} */ { items }) => html`<ol>
      ${items.map((entry) => html`<li key=${entry.seq}>
        <span>${wordsOf(entry)}</span><time datetime=${entry.at} title=${time(entry.at, 'full')}>${time(entry.at, 'clock')}</time>
      </li>`)}
    </ol>`}</>
  </section>`;
}
