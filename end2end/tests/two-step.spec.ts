import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { code } from '../totp.ts';

test('an authenticator app is added, its recovery codes are kept, and a sign-in asks for it', async ({
  settings,
  accounts,
  person,
  page,
  accessible,
  watch,
}) => {
  watch.expect(/status of 422/);
  await settings.open();
  const section = settings.section('Two-step sign-in');
  await section.getByRole('button', { name: 'Add an authenticator app' }).click();
  await expect(section.getByRole('img', { name: 'The key as a QR code' })).toBeVisible();
  const key = await section.locator('code').innerText();
  await accessible();
  await expectNoSidewaysScroll(page);
  await section.getByLabel('Code of the app').fill('000 000');
  await section.getByRole('button', { name: 'Add the app' }).click();
  await expect(section.getByText('This code is not right')).toBeVisible();
  await section.getByLabel('Code of the app').fill(code(key));
  await section.getByRole('button', { name: 'Add the app' }).click();
  const codes = section.getByRole('group', { name: 'Keep these recovery codes' });
  await expect(codes.getByRole('listitem')).toHaveCount(10);
  const recovery = await codes.getByRole('listitem').first().innerText();
  await accessible();
  await codes.getByRole('button', { name: 'I have kept them' }).click();
  await expect(codes).toHaveCount(0);
  await expect(section.getByText('You have 10 recovery codes left.')).toBeVisible();

  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, person.password);
  await expect(page).toHaveURL(/\/sign-in\/code/);
  await accessible();
  await page.getByLabel('Code', { exact: true }).fill(code(key, 1));
  await page.getByRole('button', { name: /^(Sign in|Continue)$/ }).click();
  await accounts.expectSignedIn();

  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, person.password);
  await expect(page).toHaveURL(/\/sign-in\/code/);
  await page.getByRole('link', { name: /recovery code/ }).click();
  await page.getByLabel('Recovery code').fill(recovery);
  await page.getByRole('button', { name: /^(Sign in|Continue)$/ }).click();
  await accounts.expectSignedIn();
  await settings.open();
  await expect(settings.section('Two-step sign-in').getByText('You have 9 recovery codes left.')).toBeVisible();
});
