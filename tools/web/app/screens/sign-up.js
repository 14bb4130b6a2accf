// @ts-check
// Make an account; then back to where one came from.
import { html, useEffect } from '../core/html.js';
import { t } from '../core/i18n.js';
import { go, place, safeNext, signInUrl } from '../core/router.js';
import { signUp, user } from '../core/session.js';
import { Field, FormProblem, PasswordField, Submit, useForm } from '../parts/form.js';
import { Heading } from '../parts/states.js';

export default function SignUp() {
  const next = safeNext(place.value.query.get('next'));
  useEffect(() => { if (user.value) go(next, { replace: true }); }, [user.value]);
  const form = useForm(async ({ name, email, password }) => {
    await signUp({ name: name.trim(), email: email.trim(), password });
  });
  const isTaken = form.problem?.slug === 'email-taken';
  return html`<div class="narrow page"><div class="box sheet">
    <${Heading}>${t('sign-up.title')}</>
    <p class="lead">${t('sign-up.text')}</p>
    <form onSubmit=${form.submit} novalidate>
      ${!isTaken && html`<${FormProblem} form=${form} fields=${['name', 'email', 'password']} />`}
      <${Field} form=${form} label=${t('name')} name="name" autocomplete="name" maxlength="200" required hint=${t('sign-up.name-hint')} />
      <${Field} form=${form} label=${t('email')} name="email" type="email" autocomplete="username" required
        error=${isTaken ? t('problem.email-taken') : null} />
      <${PasswordField} form=${form} label=${t('password')} name="password" autocomplete="new-password" minlength="8" maxlength="128" hint=${t('sign-up.password-hint')} />
      <${Submit} class="full" isBusy=${form.isBusy}>${t('sign-up.do')}</>
    </form>
    <p class="aside">${t('sign-up.has-account')} <a href=${signInUrl(next)}>${t('sign-in.title')}</a></p>
  </div></div>`;
}
