// Organisers: from an empty office to a sold, moved and cancelled event, and what happens to what they type.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DESK_TOP, PHONE, adminToken, api, buyer, eventually, look, signIn, story } from './harness.mjs';

/** Somebody new who may sell. */
async function organiser(name = 'Rara Putri') {
  const person = await buyer(name);
  await api('POST', '/user/role', { token: await adminToken(), body: { email: person.email, role: 'organiser', reason: 'sells tickets' } });
  const { email, password } = person;
  const session = await api('POST', '/login', { body: { email, password } });
  return { ...person, token: session.access_token };
}

/** Some days from now, at 19:00 in Jakarta: as a field takes it, and as the API does. */
function evening(days) {
  const day = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  return { typed: `${day}T19:00`, instant: `${day}T12:00:00Z` };
}

async function toOffice(page, person, path = '/office') {
  await page.goto(`/sign-in?next=${encodeURIComponent(path)}`);
  await signIn(page, person);
}

/** An event with free tickets. */
function event(person, { title = 'Angklung Night', status = 'published' } = {}) {
  const ticket_types = [{ name: 'Seat', price: { amount: 0, currency: 'IDR' }, capacity: 40 }];
  const body = { title, venue: 'Saung Udjo, Bandung', starts_at: evening(30).instant, time_zone: 'Asia/Jakarta', status, ticket_types };
  return api('POST', '/event/create', { token: person.token, body, status: 201 });
}

async function book(person, { event_id, ticket_types: [{ ticket_type_id }] }, quantity) {
  const body = { event_id, items: [{ ticket_type_id, quantity }] };
  const { booking_id } = await api('POST', '/booking/create', { token: person.token, body, status: 202 });
  const status = async () => (await api('GET', `/bookings/${booking_id}`, { token: person.token })).status;
  await eventually(status, 'confirmed');
  return status;
}

story('an organiser creates an event, sells, moves and cancels it', { refusals: [404] }, async ({ open }) => {
  const [rara, sari] = [await organiser(), await buyer()];
  const page = await open({ viewport: DESK_TOP });
  await toOffice(page, rara);
  await page.getByText('Sell your first event').waitFor();
  await look(page, 'story-office-empty');
  await page.getByRole('link', { name: 'Create event' }).click();
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('Give the event a title').waitFor();
  await page.getByLabel('Title').fill('Angklung Night');
  await page.getByLabel('Venue').fill('Saung Udjo, Bandung');
  await page.getByLabel('Starts', { exact: true }).fill(evening(30).typed);
  await page.getByLabel('Time zone').selectOption('Asia/Jakarta');
  await page.getByLabel('Name', { exact: true }).fill('Seat');
  await page.getByLabel('Price in IDR').fill('0');
  await page.getByLabel('How many').fill('40');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByRole('heading', { name: 'Angklung Night' }).waitFor();
  await page.getByRole('button', { name: 'Back to the editor' }).click();
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('On sale', { exact: true }).waitFor();

  const id = /\/office\/e\/([^/]+)$/.exec(new URL(page.url()).pathname)?.[1];
  const created = await api('GET', `/events/${id}`);
  assert.equal(Date.parse(created.starts_at), Date.parse(evening(30).instant));
  const status = await book(sari, created, 2);
  await page.locator('.tile', { hasText: 'Sold' }).getByText('2', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByText('It can no longer change: tickets were booked in it.').waitFor();
  await page.getByLabel('Starts', { exact: true }).fill(evening(44).typed);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  assert.equal(Date.parse((await api('GET', `/events/${id}`)).starts_at), Date.parse(evening(44).instant));

  await page.getByRole('button', { name: 'Cancel event' }).click();
  await page.locator('.concerned').getByText('2 tickets').waitFor();
  const sure = page.getByRole('button', { name: 'Cancel the event' });
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel('Reason').fill('the venue is flooded');
  await page.getByLabel('Type “cancel” to confirm').fill('cancel');
  await look(page, 'story-office-cancel');
  await sure.click();
  await page.getByText('The event is cancelled. The refunds are on their way.').waitFor();
  await eventually(status, 'cancelled');
});

story('what an organiser typed is not lost', { refusals: [409] }, async ({ open }) => {
  const rara = await organiser();
  const draft = await event(rara, { status: 'draft' });
  const page = await open({ viewport: DESK_TOP });
  const path = `/office/e/${draft.event_id}/edit`;
  await toOffice(page, rara, path);
  await page.getByLabel('Title').fill('Angklung Night, the second');
  await page.getByRole('link', { name: 'Attendees' }).click();
  await page.getByText('Leave without saving?').waitFor();
  await page.getByRole('button', { name: 'Stay here' }).click();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await page.getByText('What you had typed before is here again.').waitFor();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Angklung Night, the second');

  await api('PUT', '/event/update', { token: rara.token, body: { event_id: draft.event_id, venue: 'Balai Sarbini, Jakarta' } });
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.getByText('Somebody saved this event meanwhile').waitFor();
  await look(page, 'story-office-conflict');
  await page.getByRole('button', { name: 'Save mine on top' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  const { title, venue } = await api('GET', `/events/${draft.event_id}`, { token: rara.token });
  assert.deepEqual([title, venue], ['Angklung Night, the second', 'Balai Sarbini, Jakarta']);
});

story('attendees are listed and saved as a file', {}, async ({ open }) => {
  const [rara, sari] = [await organiser(), await buyer()];
  const sold = await event(rara);
  await book(sari, sold, 2);
  const page = await open({ viewport: DESK_TOP });
  await toOffice(page, rara, `/office/e/${sold.event_id}/attendees`);
  await page.getByText('Sari Dewi').first().waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()]);
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1], /,"Sari Dewi",""$/);
});

story('an admin makes somebody an organiser', { refusals: [404] }, async ({ open }) => {
  const [{ admin }, rara] = [JSON.parse(readFileSync(process.env.KARCIS_STATE, 'utf8')), await buyer('Rara Putri')];
  const page = await open({ viewport: DESK_TOP });
  await toOffice(page, admin, '/office/people');
  const role = page.locator('form').filter({ hasText: 'Organiser' });
  await role.getByLabel('E-mail').fill('nobody@mail.example');
  await role.getByRole('button', { name: 'Give the role' }).click();
  await role.getByRole('alert').waitFor();
  await role.getByLabel('E-mail').fill(rara.email);
  await role.getByRole('button', { name: 'Give the role' }).click();
  await role.getByText('is now: Organiser').waitFor();
});

for (const [size, viewport] of [['390', PHONE], ['1280', DESK_TOP]]) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [short, language] of [['en', 'en-GB'], ['id', 'id-ID']]) {
      const name = `${size}-${colorScheme}-${short}`;
      story(`all screens of the office: ${name}`, {}, async ({ open }) => {
        const [{ admin }, rara] = [JSON.parse(readFileSync(process.env.KARCIS_STATE, 'utf8')), await organiser()];
        const sold = await event(rara);
        await event(rara, { title: 'Midnight Gamelan', status: 'draft' });
        await book(await buyer(), sold, 2);
        const page = await open({ viewport, colorScheme, language, reducedMotion: 'reduce' });
        const enter = async (person) => {
          await page.goto('/sign-in');
          await page.locator('input[name=email]').fill(person.email);
          await page.locator('input[name=password]').fill(person.password);
          await page.locator('main button[type=submit]').click();
          await page.locator('.nav-link').first().waitFor();
        };
        const visit = async (path, selector, screen) => {
          await page.goto(path);
          await page.locator(selector).first().waitFor();
          await look(page, `${screen}-${name}`);
        };
        await enter(rara);
        await visit('/office', '.office-row', 'office');
        await visit('/office/new', '.editor', 'office-new');
        await visit(`/office/e/${sold.event_id}`, '.plot-sold', 'office-sales');
        await visit(`/office/e/${sold.event_id}/attendees`, '.people', 'office-attendees');
        await visit(`/office/e/${sold.event_id}/edit`, '.editor', 'office-edit');
        await page.context().clearCookies();
        await enter(admin);
        await visit('/office/people', '.choice', 'office-people');
      });
    }
  }
}
