// A buyer on a phone: from the search to a ticket at the door, with and without a network.
import assert from 'node:assert/strict';
import { bookingsOf, buyer, concert, eventually, isConfirmed, look, pay, signIn, story } from './harness.mjs';

story('a buyer finds an event, makes an account, pays and has tickets', {}, async ({ open }) => {
  const event = await concert();
  const page = await open();
  await page.goto('/');
  await page.getByRole('searchbox').fill(event.title);
  await page.getByRole('heading', { name: event.title }).click();
  const more = page.getByRole('button', { name: 'One more: Festival' });
  await more.click();
  await more.click();
  await page.getByText('Rp 1,500,000').waitFor();
  await page.getByText('Put names on the tickets').click();
  await page.getByLabel('Festival, ticket 2').fill('Dewi Lestari');
  await page.getByRole('button', { name: 'Get tickets' }).click();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Sari Dewi');
  await page.getByLabel('E-mail', { exact: true }).fill(`sari-${event.event_id}@mail.example`);
  await page.getByLabel('Password', { exact: true }).fill('a long and private sentence');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Your tickets are held for').waitFor();
  await pay(page);
  await isConfirmed(page);
  assert.equal(await page.getByRole('img', { name: /^QR code of ticket/ }).count(), 2);
  await page.getByText('Your payment arrived').waitFor();
  await page.getByText('Dewi Lestari').waitFor();
  await look(page, 'story-ticket');
});

story('tickets that were seen are there without a network', { refusals: [NaN] }, async ({ open, errors }) => {
  const [event, sari] = [await concert(), await buyer()];
  const page = await open();
  await page.goto('/sign-in');
  await signIn(page, sari);
  await page.getByRole('link', { name: 'Sari' }).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.goto(`/e/${event.event_id}`);
  await page.getByRole('button', { name: 'One more: Festival' }).click();
  await page.getByRole('button', { name: 'Get tickets' }).click();
  await pay(page);
  await isConfirmed(page);
  // The page has put the app beside the tickets when the codes are there.
  const isKept = async () => Boolean(await caches.match('/', { cacheName: 'karcis-shell' }));
  await eventually(() => page.evaluate(isKept), true);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByText('This is the copy on your device').waitFor();
  const code = page.getByRole('img', { name: /^QR code of ticket/ });
  assert.ok(await code.evaluate((image) => image.complete && image.naturalWidth > 0));
  errors.splice(0, errors.length, ...errors.filter((error) => !error.includes('ERR_INTERNET_DISCONNECTED')));
});

story('a ticket is printed alone, and a booking is cancelled with its refund', {}, async ({ open }) => {
  const [event, sari] = [await concert(), await buyer()];
  const page = await open({ viewport: { width: 1280, height: 860 } });
  await page.goto(`/e/${event.event_id}`);
  await page.getByRole('button', { name: 'One more: Festival' }).click();
  await page.getByRole('button', { name: 'Get tickets' }).click();
  await signIn(page, sari);
  await pay(page);
  await isConfirmed(page);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('button', { name: 'Cancel booking' }).isVisible(), false);
  assert.equal(await page.getByRole('img', { name: /^QR code of ticket/ }).isVisible(), true);
  await page.emulateMedia({ media: 'screen' });
  await page.getByRole('button', { name: 'Cancel booking' }).click();
  await page.getByRole('dialog').getByText('Rp 750,000').waitFor();
  await look(page, 'story-cancel');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel booking' }).click();
  await page.getByText('Rp 750,000 was returned.').waitFor();
  assert.deepEqual((await bookingsOf(sari)).map(({ status }) => status), ['cancelled']);
});
