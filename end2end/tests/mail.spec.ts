import { expect, test } from '../fixtures.ts';
import { linkPath } from '../mailbox.ts';
import { waitForHydration } from '../hydration.ts';

test.use({ services: ['mailbox'] });

test('a mailed link resets a forgotten password, once', async ({ person, accounts, page, mailbox, expectAccessible, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 410/);
  await accounts.signOut();
  await page.getByRole('link', { name: 'Forgot password?' }).click();
  await expect(page).toHaveURL(/\/forgot-password/);
  await expectAccessible();
  await page.getByLabel('Email').fill(person.email);
  await page.getByRole('button', { name: 'Send reset link' }).click();
  await expect(page).toHaveURL(/\/check-inbox$/);
  await expect(page.getByRole('main')).toContainText(person.email);
  await expectAccessible();
  const link = linkPath(await mailbox.waitForMail(person.email, 'password'));
  expect(link).toMatch(/^\/reset-password\?token=/);
  await page.goto(link);
  await waitForHydration(page, hydrated);
  await expectAccessible();
  await page.getByLabel('New password').fill('six green lamps row 12');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page).toHaveURL(/\/sign-in\?done=reset/);
  await accounts.fillSignIn(person.email, 'six green lamps row 12');
  await accounts.expectSignedIn();
  await page.goto(link);
  await waitForHydration(page, hydrated);
  await expect(page.getByRole('alert')).toContainText('This link has expired or was already used.');
  await expect(page.getByLabel('New password')).toHaveCount(0);
  await page.getByRole('link', { name: 'Send a new link' }).click();
  await expect(page).toHaveURL(/\/forgot-password$/);
});

test('a new address is confirmed by a link, and the old address is notified', async ({ person, settings, page, mailbox }) => {
  await settings.open();
  const section = await settings.edit('Email');
  const other = person.email.replace('ada', 'countess');
  await section.getByLabel('New email').fill(other);
  await section.getByRole('button', { name: 'Change email' }).click();
  await expect(section.getByText('Your email changes once you confirm it.')).toBeVisible();
  await mailbox.waitForMail(person.email, '');
  await page.goto(linkPath(await mailbox.waitForMail(other, '')));
  await page.getByRole('main').getByRole('button').click();
  await expect(page.getByRole('status')).toContainText('Email changed');
  await settings.open();
  await expect(settings.section('Email')).toContainText(other);
});
