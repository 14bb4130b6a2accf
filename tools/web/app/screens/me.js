// @ts-check
// Who one is: profile, password, where one is signed in, and the end of the account.
import { call, post } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { LANGUAGES, t } from '../core/i18n.js';
import { go } from '../core/router.js';
import { endHere, setProfile, signOut, user } from '../core/session.js';
import { Dialog } from '../parts/dialog.js';
import { Field, FormProblem, PasswordField, Submit, useForm } from '../parts/form.js';
import { Icon } from '../parts/icons.js';
import { Heading, Notice, wordsOf } from '../parts/states.js';
import { toast } from '../parts/toasts.js';
import { Sessions } from './me-sessions.js';

/** @import { Profile } from '../types.js' */

const ZONES = ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura', 'Asia/Singapore', 'Asia/Kuala_Lumpur', 'Asia/Tokyo', 'Europe/Berlin', 'Europe/London', 'America/New_York', 'UTC'];

/** @param {Record<string, any>} change */
async function update(change) {
  setProfile(await call('PUT', '/profile/update', { body: change }));
  toast(t('saved'));
}

/** @param {{ me: Profile }} props */
function Unverified({ me }) {
  const [isSent, setSent] = useState(false);
  if (me.email_verified) return null;
  const again = () => post('/email/verification', {}).then(() => setSent(true), (problem) => toast(wordsOf(problem), 'failed'));
  return html`<${Notice} kind="warning" icon="mail"><p>${t(isSent ? 'me.verification-sent' : 'me.unverified', { email: me.email })}</p>
    ${!isSent && html`<button type="button" class="link" onClick=${again}>${t('me.send-again')}</button>`}</>`;
}

/** @param {{ me: Profile }} props */
function ProfileForm({ me }) {
  const form = useForm(({ name, phone, locale, time_zone }) =>
    update({ name: name.trim(), phone: phone.trim() || null, locale: locale || null, time_zone: time_zone || null }));
  const zones = me.time_zone && !ZONES.includes(me.time_zone) ? [me.time_zone, ...ZONES] : ZONES;
  return html`<section class="box"><h2>${t('me.profile')}</h2><form onSubmit=${form.submit} novalidate>
    <${FormProblem} form=${form} fields=${['name', 'phone', 'locale', 'time_zone']} />
    <${Field} form=${form} label=${t('name')} name="name" autocomplete="name" value=${me.name} required />
    <${Field} form=${form} label=${t('me.phone')} name="phone" type="tel" autocomplete="tel" value=${me.phone ?? ''} hint=${t('me.phone-hint')} />
    <div class="pair">
      <${Field} form=${form} label=${t('language')} name="locale" value=${me.locale ?? ''}>
        <option value="">${t('me.as-device')}</option>
        ${me.locale && !LANGUAGES.includes(/** @type {any} */ (me.locale)) && html`<option value=${me.locale}>${me.locale}</option>`}
        ${LANGUAGES.map((name) => html`<option key=${name} value=${name}>${t(`language.${name}`)}</option>`)}
      </>
      <${Field} form=${form} label=${t('me.zone')} name="time_zone" value=${me.time_zone ?? ''}>
        <option value="">${t('me.as-device')}</option>
        ${zones.map((name) => html`<option key=${name} value=${name}>${name.replace('_', ' ')}</option>`)}
      </>
    </div>
    <${Submit} isBusy=${form.isBusy}>${t('save')}</>
  </form></section>`;
}

/** @param {{ me: Profile }} props */
function SecurityForms({ me }) {
  const email = useForm((values) => update({ email: values.email.trim(), current_password: values.current_password }));
  const [round, setRound] = useState(0);
  const password = useForm(async (values) => {
    await update({ password: values.password, current_password: values.current_password });
    setRound(round + 1);
  });
  return html`<section class="box"><h2>${t('me.security')}</h2>
    <details><summary>${t('me.change-email')}<span>${me.email}</span></summary>
      <form onSubmit=${email.submit} novalidate>
        <${FormProblem} form=${email} fields=${['email', 'current_password']} />
        <${Field} form=${email} label=${t('me.new-email')} name="email" type="email" autocomplete="email" required />
        <${PasswordField} form=${email} label=${t('me.current')} name="current_password" autocomplete="current-password" />
        <${Submit} isBusy=${email.isBusy}>${t('save')}</>
      </form>
    </details>
    <details key=${round}><summary>${t('me.change-password')}</summary>
      <form onSubmit=${password.submit} novalidate>
        <p class="fine">${t('me.password-ends')}</p>
        <${FormProblem} form=${password} fields=${['password', 'current_password']} />
        <${PasswordField} form=${password} label=${t('me.current')} name="current_password" autocomplete="current-password" />
        <${PasswordField} form=${password} label=${t('reset.password')} name="password" autocomplete="new-password" hint=${t('sign-up.password-hint')} />
        <${Submit} isBusy=${password.isBusy}>${t('save')}</>
      </form>
    </details>
  </section>`;
}

function Erase() {
  const [isOpen, open] = useState(false);
  const form = useForm(async ({ current_password }) => {
    await call('DELETE', '/profile', { body: { current_password } });
    await endHere();
    go('/', { replace: true });
    toast(t('erase.done'));
  });
  return html`<section class="box danger"><h2>${t('erase.title')}</h2><p>${t('erase.text')}</p>
    <button type="button" class="button danger" onClick=${() => open(true)}>${t('erase.title')}</button>
    ${isOpen && html`<${Dialog} title=${t('erase.sure')} onClose=${() => open(false)}>
      <form onSubmit=${form.submit} novalidate>
        <p>${t('erase.text')}</p>
        <${FormProblem} form=${form} fields=${['current_password']} />
        <${PasswordField} form=${form} label=${t('me.current')} name="current_password" autocomplete="current-password" />
        <div class="actions"><button type="button" class="button" onClick=${() => open(false)}>${t('keep')}</button>
          <${Submit} class="danger" isBusy=${form.isBusy}>${t('erase.do')}</></div>
      </form>
    </>`}
  </section>`;
}

export default function Me() {
  const me = user.value;
  if (!me) return null;
  return html`<div class="medium page stack">
    <div class="title-row"><div><${Heading}>${t('me.hello', { name: me.name.split(' ')[0] })}</><p class="lead">${me.email}</p></div>
      <button type="button" class="button" onClick=${() => void signOut().then(() => go('/'))}><${Icon} name="out" />${t('me.sign-out')}</button></div>
    <${Unverified} me=${me} />
    <${ProfileForm} me=${me} />
    <${SecurityForms} me=${me} />
    <${Sessions} />
    <${Erase} />
  </div>`;
}
