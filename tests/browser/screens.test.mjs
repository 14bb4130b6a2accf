// Every screen, in both widths, themes and languages: pictures, and what axe-core says of them.
import { DESK_TOP, PHONE, api, buyer, concert, eventually, look, story } from './harness.mjs';

/** Signs in whatever the language. */
async function signIn(page, person) {
  await page.goto('/sign-in');
  await page.locator('input[name=email]').fill(person.email);
  await page.locator('input[name=password]').fill(person.password);
  await page.locator('main button[type=submit]').click();
  await page.locator('.nav-link').first().waitFor();
}

/** A booking of one ticket. */
async function book(person, event, prepared = {}) {
  const items = [{ ticket_type_id: event.ticket_types[0].ticket_type_id, quantity: 1 }];
  const booking = await api('POST', '/booking/create', { token: person.token, body: { event_id: event.event_id, items }, status: 202 });
  await eventually(async () => (await api('GET', `/bookings/${booking.booking_id}`, { token: person.token })).status, prepared.until);
  return booking;
}

for (const [size, viewport] of [['390', PHONE], ['1280', DESK_TOP]]) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [short, language] of [['en', 'en-GB'], ['id', 'id-ID']]) {
      const name = `${size}-${colorScheme}-${short}`;
      story(`all screens: ${name}`, { refusals: [404] }, async ({ open }) => {
        const [event, free, sari] = [await concert(), await concert({ title: 'Rust Jakarta Meetup', price: 0 }), await buyer()];
        const page = await open({ viewport, colorScheme, language, reducedMotion: 'reduce' });
        const visit = async (path, selector, screen) => {
          await page.goto(path);
          await page.locator(selector).first().waitFor();
          await look(page, `${screen}-${name}`);
        };
        await visit('/', '.card-price', 'browse');
        await visit('/?q=nothing-has-this-name', '.state', 'browse-empty');
        await visit(`/e/${event.event_id}`, '.ticket-row', 'event');
        await visit('/e/0198c0de-5a21-7000-8000-00000000dead', '.state', 'event-unknown');
        await visit('/sign-in', 'form', 'sign-in');
        await visit('/sign-up', 'form', 'sign-up');
        await visit('/reset#token', 'form', 'reset');
        await signIn(page, sari);
        await visit('/b', '.state', 'bookings-empty');
        const confirmed = await book(sari, free, { until: 'confirmed' });
        await visit(`/b/${confirmed.booking_id}`, '.pass', 'booking');
        const held = await book(sari, event, { until: 'awaiting_payment' });
        await visit(`/checkout/${event.event_id}?booking=${held.booking_id}`, '.method', 'checkout');
        await visit('/b', '.booking-row', 'bookings');
        await visit('/me', '.rows .row', 'me');
        await visit('/b/0198c0de-5a21-7000-8000-00000000dead', '.state', 'booking-unknown');
      });
    }
  }
}
