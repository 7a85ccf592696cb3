import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { totpCode } from '../totp.ts';

test('an authenticator app is added, and sign-in requires its code or a recovery code', async ({
  settings,
  accounts,
  person,
  page,
  expectAccessible,
  pageErrors,
}) => {
  pageErrors.allow(/status of 422/);
  await settings.open('security');
  const section = settings.section('Two-step verification');
  await section.getByRole('button', { name: 'Add authenticator app' }).click();
  await expect(section.getByRole('img', { name: 'QR code with the key' })).toBeVisible();
  const key = await section.locator('code').innerText();
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  await section.getByLabel('6-digit code').fill('000 000');
  await section.getByRole('button', { name: 'Turn on' }).click();
  await expect(section.getByText('That code is wrong')).toBeVisible();
  await section.getByLabel('6-digit code').fill(totpCode(key));
  await section.getByRole('button', { name: 'Turn on' }).click();
  const codes = section.getByRole('group', { name: 'Save your recovery codes' });
  await expect(codes.getByRole('listitem')).toHaveCount(10);
  const recovery = await codes.getByRole('listitem').first().innerText();
  await expectAccessible();
  await codes.getByRole('button', { name: "I've saved them" }).click();
  await expect(codes).toHaveCount(0);
  await expect(section.getByText('10 recovery codes left')).toBeVisible();

  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, person.password);
  await expect(page).toHaveURL(/\/sign-in\/code/);
  await expectAccessible();
  await page.getByLabel('Code', { exact: true }).fill(totpCode(key, 1));
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
  await settings.open('security');
  await expect(settings.section('Two-step verification').getByText('9 recovery codes left')).toBeVisible();
});
