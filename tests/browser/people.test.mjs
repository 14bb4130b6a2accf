// Accounts: wrong passwords, other devices, and what others do meanwhile.
import { api, buyer, choose, concert, look, signIn, story } from './harness.mjs';

story('errors stand at their fields', { refusals: [401, 422] }, async ({ open }) => {
  const page = await open();
  const sari = await buyer();
  await page.goto('/sign-in');
  await signIn(page, { email: 'no address', password: 'x' });
  await page.locator('.field.wrong').first().waitFor();
  await look(page, 'story-field-error');
  await signIn(page, { ...sari, password: 'not this one' });
  await page.getByText('E-mail or password is wrong.').waitFor();
});

story('the end of a session on another device ends it here', { refusals: [401] }, async ({ open }) => {
  const sari = await buyer();
  const [phone, laptop] = [await open(), await open({ viewport: { width: 1280, height: 860 } })];
  for (const page of [phone, laptop]) {
    await page.goto('/sign-in?next=/me');
    await signIn(page, sari);
    await page.getByText('Hello, Sari').waitFor();
  }
  await laptop.reload();
  await laptop.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await laptop.getByText('Signed out there').waitFor();
  await phone.reload();
  await phone.getByRole('heading', { name: 'Sign in' }).waitFor();
});

story('signing out in one tab signs out the other', {}, async ({ open }) => {
  const sari = await buyer();
  const first = await open();
  await first.goto('/sign-in?next=/me');
  await signIn(first, sari);
  const second = await first.context().newPage();
  await second.goto('/me');
  await second.getByText('Hello, Sari').waitFor();
  await first.getByRole('button', { name: 'Sign out' }).first().click();
  await second.getByRole('heading', { name: 'Sign in' }).waitFor();
});

story('what is sold out while somebody chooses is said', {}, async ({ open }) => {
  const [event, quick, slow] = [await concert({ capacity: 2, price: 0 }), await buyer('Quick'), await buyer()];
  const page = await open();
  await page.goto('/sign-in');
  await signIn(page, slow);
  await page.getByRole('link', { name: 'Sari' }).waitFor();
  await page.goto(`/e/${event.event_id}`);
  await page.getByRole('button', { name: 'One more: Festival' }).click();
  const items = [{ ticket_type_id: event.ticket_types[0].ticket_type_id, quantity: 2 }];
  await api('POST', '/booking/create', { token: quick.token, body: { event_id: event.event_id, items }, status: 202 });
  await page.getByText('“Festival” is no longer available').waitFor();
  await page.locator('.ticket-row').getByText('Sold out').waitFor();
  await look(page, 'story-sold-out');
});

story('what is sold out a moment before the booking is said too', {}, async ({ open }) => {
  const [event, quick, slow] = [await concert({ capacity: 2 }), await buyer('Quick'), await buyer()];
  const page = await open();
  await choose(page, event, 2);
  const items = [{ ticket_type_id: event.ticket_types[0].ticket_type_id, quantity: 1 }];
  await api('POST', '/booking/create', { token: quick.token, body: { event_id: event.event_id, items }, status: 202 });
  await signIn(page, slow);
  await page.getByText('These tickets are sold out').waitFor();
});
