// @ts-check
// Sets another password with the token of a link.
import { post } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { place } from '../core/router.js';
import { FormProblem, PasswordField, Submit, useForm } from '../parts/form.js';
import { Empty, Heading, Notice } from '../parts/states.js';

export default function Reset() {
  const token = place.value.hash.replace(/^token=/, '');
  const [isDone, setDone] = useState(false);
  const form = useForm(async ({ password }) => {
    await post('/password/reset', { token, password }, { isPublic: true });
    history.replaceState({}, '', '/reset');
    setDone(true);
  });
  const isTokenWrong = !token || form.errorOf('token');
  if (isDone) {
    return html`<div class="narrow page"><div class="box sheet"><${Heading} class="hidden">${t('reset.title')}</>
      <${Empty} icon="check" title=${t('reset.done')}><a class="button primary" href="/sign-in">${t('sign-in.title')}</a></></div></div>`;
  }
  return html`<div class="narrow page"><div class="box sheet">
    <${Heading}>${t('reset.title')}</>
    ${isTokenWrong
      ? html`<${Notice} kind="failed" role="alert"><p>${t('reset.wrong')}</p></><p class="aside"><a href="/sign-in">${t('forgot.link')}</a></p>`
      : html`<form onSubmit=${form.submit} novalidate>
          <${FormProblem} form=${form} fields=${['password']} />
          <${PasswordField} form=${form} label=${t('reset.password')} name="password" autocomplete="new-password" minlength="8" maxlength="128" hint=${t('sign-up.password-hint')} />
          <${Submit} class="full" isBusy=${form.isBusy}>${t('reset.do')}</>
        </form>`}
  </div></div>`;
}
