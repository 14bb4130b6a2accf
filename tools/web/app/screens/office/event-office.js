// @ts-check
// One event in the office: its head with what can be done, and its tabs.
import { get } from '../../core/api.js';
import { time } from '../../core/format.js';
import { html, useEffect } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { hasRole, user } from '../../core/session.js';
import { Icon } from '../../parts/icons.js';
import { Empty, Heading, Loaded, Notice, Skeleton } from '../../parts/states.js';
import { Acts } from './acts.js';
import { AttendeesTab } from './attendees.js';
import { Editor } from './editor.js';
import { StatusBadge } from './events.js';
import { SalesTab } from './sales.js';

/** @import { Event as KarcisEvent } from '../../types.js' */

/** @param {{ event: KarcisEvent, tab: string, onChange: (event: KarcisEvent) => void }} props */
function Head({ event, tab, onChange }) {
  const path = `/office/e/${event.event_id}`;
  const tabs = [['', 'sales'], ['attendees', 'attendees'], ['edit', 'edit']];
  return html`<div class="wide office-head">
    <a class="back" href="/office"><${Icon} name="left" size=${16} />${t('office.events')}</a>
    <div class="office-title"><${Heading}>${event.title}</><${StatusBadge} event=${event} /></div>
    <p class="lead"><time datetime=${event.starts_at}>${time(event.starts_at, 'full', event.time_zone)}</time> · ${event.venue}</p>
    <${Acts} event=${event} isEdited=${tab === 'edit'} onChange=${onChange} />
    <nav class="tabs" aria-label=${event.title}>${tabs.map(([to, name]) => html`<a key=${name} href=${to ? `${path}/${to}` : path}
      aria-current=${to === tab ? 'page' : undefined}>${t(`office.tab-${name}`)}</a>`)}</nav>
  </div>`;
}

/** @param {{ event: KarcisEvent }} props */
const CannotEdit = ({ event }) => html`<div class="wide page"><${Notice}><p>${t(event.status === 'cancelled' ? 'office.is-cancelled' : 'office.is-over')}</p></></div>`;

/** @param {{ id: string, tab: string }} props */
export function EventOffice({ id, tab }) {
  const path = `/events/${encodeURIComponent(id)}`;
  const event = useResource((signal) => get(path, { signal }), [path]);
  // Seats are taken meanwhile: the locked fields and the acts follow.
  useEffect(() => {
    if (event.data && tab !== 'edit') get(path).then(event.set, () => null);
  }, [tab]);
  const missing = html`<div class="wide page"><${Heading} class="hidden">${t('event.unknown')}</><${Empty} icon="search" title=${t('office.not-yours')}><a class="button" href="/office">${t('office.events')}</a></></div>`;
  if (event.status === 'failed' && event.problem && [404, 422].includes(event.problem.status)) return missing;
  return html`<${Loaded} of=${event} skeleton=${html`<div class="wide page"><${Skeleton} lines=${7} /></div>`}>${(/** @type {KarcisEvent} */ data) => {
    if (data.organiser_id !== user.value?.user_id && !hasRole('admin')) return missing;
    if (tab === 'edit') {
      return html`<${Head} event=${data} tab=${tab} onChange=${event.set} />
        ${data.status === 'cancelled' ? html`<${CannotEdit} event=${data} />` : html`<${Editor} key=${data.event_id} event=${data} onSaved=${event.set} />`}`;
    }
    return html`<${Head} event=${data} tab=${tab} onChange=${event.set} />
      <div class="wide page">${tab === 'attendees' ? html`<${AttendeesTab} event=${data} />` : html`<${SalesTab} event=${data} onChange=${event.set} />`}</div>`;
  }}</>`;
}
