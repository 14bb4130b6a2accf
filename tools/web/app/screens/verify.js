// @ts-check
// Proves an e-mail address with the token of a link.
import { post } from '../core/api.js';
import { html, useEffect } from '../core/html.js';
import { t } from '../core/i18n.js';
import { useResource } from '../core/resource.js';
import { place } from '../core/router.js';
import { renewSession, user } from '../core/session.js';
import { Empty, Failure, Heading, Skeleton } from '../parts/states.js';

export default function Verify() {
  const token = place.value.hash.replace(/^token=/, '');
  const result = useResource(async () => { await post('/email/verify', { token }, { isPublic: true }); return true; }, [token]);
  useEffect(() => {
    if (result.data) {
      // The token is used up: nobody finds it in the history.
      history.replaceState({}, '', '/verify');
      if (user.value) void renewSession();
    }
  }, [result.data]);
  const isWrong = result.status === 'failed' && !result.problem?.isPassing;
  return html`<div class="narrow page"><div class="box sheet">
    <${Heading} class="hidden">${t('verify.title')}</>
    ${result.status === 'loading' && html`<${Skeleton} />`}
    ${result.data && html`<${Empty} icon="check" title=${t('verify.done')}><a class="button primary" href="/">${t('event.others')}</a></>`}
    ${isWrong && html`<${Empty} icon="warning" title=${t('verify.wrong')}><p>${t('verify.wrong-text')}</p><a class="button" href="/me">${t('verify.again')}</a></>`}
    ${result.status === 'failed' && !isWrong && html`<${Failure} problem=${result.problem} onRetry=${result.retry} />`}
  </div></div>`;
}
