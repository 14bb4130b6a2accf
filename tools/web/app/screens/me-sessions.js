// @ts-check
// Where one is signed in, and the end of any of these.
import { call, get } from '../core/api.js';
import { relative } from '../core/format.js';
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { useResource } from '../core/resource.js';
import { Loaded, wordsOf } from '../parts/states.js';
import { toast } from '../parts/toasts.js';

/** @import { SessionItem } from '../types.js' */

/** A browser and its system in words. @param {string | null} agent */
function deviceOf(agent) {
  if (!agent) return t('sessions.unknown');
  const browser = [['Edg/', 'Edge'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari'], ['curl/', 'curl']]
    .find(([mark]) => agent.includes(mark))?.[1];
  const system = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']]
    .find(([mark]) => agent.includes(mark))?.[1];
  return [browser ?? agent.slice(0, 40), system].filter(Boolean).join(' · ');
}

export function Sessions() {
  const sessions = useResource((signal) => get('/sessions', { signal }), []);
  /** @param {string} path */
  const end = (path) => call('DELETE', path).then(
    () => { toast(t('sessions.ended')); sessions.retry(); },
    (problem) => toast(wordsOf(problem), 'failed'),
  );
  return html`<section class="box"><h2>${t('sessions.title')}</h2>
    <${Loaded} of=${sessions}>${(/** @type {{ items: SessionItem[] }} */ { items }) => html`
      <ul class="rows">${items.map((session) => html`<li class="row" key=${session.session_id}>
        <div><strong>${deviceOf(session.user_agent)}</strong>
          <p class="fine">${session.current ? t('sessions.this') : t('sessions.last', { when: relative(session.last_used_at) })}</p></div>
        ${!session.current && html`<button type="button" class="button small" onClick=${() => end(`/sessions/${session.session_id}`)}
          aria-label=${`${t('sessions.end')}: ${deviceOf(session.user_agent)}`}>${t('sessions.end')}</button>`}
      </li>`)}</ul>
      ${items.length > 1 && html`<button type="button" class="button" onClick=${() => end('/sessions')}>${t('sessions.end-others')}</button>`}
    `}</>
  </section>`;
}
