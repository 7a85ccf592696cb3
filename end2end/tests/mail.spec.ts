import { expect, test } from '../fixtures.ts';
import { linkIn } from '../mailbox.ts';

test.use({ beside: ['mailbox'] });

test('a forgotten password is chosen anew by a mailed link, once', async ({ person, accounts, page, mailbox, accessible, hydrated, watch }) => {
  watch.expect(/status of 422/);
  await accounts.signOut();
  await page.getByRole('link', { name: 'Forgot the password?' }).click();
  await expect(page).toHaveURL(/\/forgot-password/);
  await accessible();
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(page.getByRole('status')).toBeVisible();
  const link = linkIn(await mailbox.newest(person.email, 'password'));
  expect(link).toMatch(/^\/reset-password\?token=/);
  await page.goto(link);
  if (hydrated) await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await accessible();
  await page.getByLabel('New password').fill('six green lamps row 12');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page).toHaveURL(/\/sign-in\?done=reset/);
  await accounts.fillSignIn(person.email, 'six green lamps row 12');
  await accounts.expectSignedIn();
  await page.goto(link);
  if (hydrated) await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await page.getByLabel('New password').fill('nine red kites at sea 4');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
});

test('another address is confirmed by a link and told to the old one', async ({ person, settings, page, mailbox }) => {
  await settings.open();
  const section = settings.section('E-mail address');
  const other = person.email.replace('ada', 'countess');
  await section.getByLabel('New address').fill(other);
  await section.getByRole('button', { name: 'Send a link to the new address' }).click();
  await expect(section.getByText('The address changes when the link is followed.')).toBeVisible();
  await mailbox.newest(person.email, '');
  await page.goto(linkIn(await mailbox.newest(other, '')));
  await page.getByRole('main').getByRole('button').click();
  await expect(page.getByRole('status')).toContainText('address');
  await settings.open();
  await expect(settings.section('E-mail address')).toContainText(other);
});
