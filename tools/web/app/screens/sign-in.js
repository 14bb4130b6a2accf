// @ts-check
// Sign in; then back to where one came from, such as the cart.
import { post } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { go, place, safeNext } from '../core/router.js';
import { signIn, user } from '../core/session.js';
import { Field, FormProblem, PasswordField, Submit, useForm } from '../parts/form.js';
import { Heading, Notice } from '../parts/states.js';

/** Asks for a link that sets another password. @param {{ onBack: () => void }} props */
function Forgot({ onBack }) {
  const [isSent, setSent] = useState(false);
  const form = useForm(async ({ email }) => {
    await post('/password/forgot', { email }, { isPublic: true });
    setSent(true);
  });
  return html`
    <${Heading} key="forgot">${t('forgot.title')}</>
    ${isSent
      ? html`<${Notice} kind="done" icon="mail" role="status"><p>${t('forgot.sent')}</p></>`
      : html`<form onSubmit=${form.submit} novalidate>
          <p class="lead">${t('forgot.text')}</p>
          <${FormProblem} form=${form} fields=${['email']} />
          <${Field} form=${form} label=${t('email')} name="email" type="email" autocomplete="username" required />
          <${Submit} class="full" isBusy=${form.isBusy}>${t('forgot.send')}</>
        </form>`}
    <p class="aside"><button type="button" class="link" onClick=${onBack}>${t('forgot.back')}</button></p>`;
}

/** @param {{ onForgot: () => void, next: string }} props */
function SignInForm({ onForgot, next }) {
  const form = useForm(async ({ email, password }) => { await signIn({ email: email.trim(), password }); });
  return html`
    <${Heading}>${t('sign-in.title')}</>
    ${next.startsWith('/checkout') && html`<p class="lead">${t('sign-in.for-tickets')}</p>`}
    <form onSubmit=${form.submit} novalidate>
      <${FormProblem} form=${form} fields=${['email', 'password']} />
      <${Field} form=${form} label=${t('email')} name="email" type="email" autocomplete="username" required autofocus />
      <${PasswordField} form=${form} label=${t('password')} name="password" autocomplete="current-password" />
      <${Submit} class="full" isBusy=${form.isBusy}>${t('sign-in.do')}</>
    </form>
    <p class="aside"><button type="button" class="link" onClick=${onForgot}>${t('forgot.link')}</button></p>
    <p class="aside">${t('sign-in.no-account')} <a href=${`/sign-up?next=${encodeURIComponent(next)}`}>${t('sign-up.title')}</a></p>`;
}

export default function SignIn() {
  const next = safeNext(place.value.query.get('next'));
  const [isForgotten, forget] = useState(false);
  useEffect(() => { if (user.value) go(next, { replace: true }); }, [user.value]);
  return html`<div class="narrow page"><div class="box sheet">
    ${isForgotten ? html`<${Forgot} onBack=${() => forget(false)} />` : html`<${SignInForm} next=${next} onForgot=${() => forget(true)} />`}
  </div></div>`;
}
