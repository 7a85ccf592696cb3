import { expect, test } from '../fixtures.ts';
import { signInAtProvider } from '../provider.ts';

test.use({ services: ['provider'] });

test('a new user signs in through a provider, sets a password and unlinks the provider', async ({
  person,
  page,
  browser,
  colloquy,
  hydrated,
  provider,
  pageErrors,
}) => {
  pageErrors.allow(new RegExp(`foreign host: ${provider.issuer}`), /favicon|status of 4\d\d/);
  expect(person.name, 'the administrator is somebody else').toBeTruthy();
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const vera = await context.newPage();
  await vera.goto('/sign-in?next=%2Fsettings%2Fsecurity');
  await vera.getByRole('button', { name: 'Continue with The house' }).click();
  await signInAtProvider(vera, 'vera');
  await expect(vera).toHaveURL(`${colloquy.url}/settings/security`);
  const section = (title: string) => vera.getByRole('region', { name: title, exact: true });
  await expect(section('Connected accounts').getByRole('listitem')).toContainText('vera@example.org');
  await section('Password').locator('summary').click();
  await section('Password').getByLabel('New password').fill('six green lamps row 12');
  await section('Password').getByRole('button', { name: 'Set password' }).click();
  await expect(section('Password').getByRole('status')).toContainText(/Password (set|changed)\./);
  await section('Connected accounts').getByRole('button', { name: 'Disconnect The house' }).click();
  await expect(section('Connected accounts').getByRole('listitem')).toHaveCount(0);
  await section('Connected accounts').getByRole('button', { name: 'Connect The house', exact: true }).click();
  await expect(section('Connected accounts').getByRole('listitem')).toContainText('vera@example.org');
  await context.close();
  await page.goto('/');
});

test('a provider’s unverified address does not sign in', async ({ person, page, browser, colloquy, hydrated, provider, pageErrors }) => {
  pageErrors.allow(new RegExp(`foreign host: ${provider.issuer}`), /favicon|status of 4\d\d/);
  expect(person.name).toBeTruthy();
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const stranger = await context.newPage();
  await stranger.goto('/sign-in');
  await stranger.getByRole('button', { name: 'Continue with The house' }).click();
  await signInAtProvider(stranger, 'unverified-1');
  await expect(stranger).toHaveURL(/\/auth\/house\/callback/);
  await stranger.goto('/settings');
  await expect(stranger).toHaveURL(/\/sign-in/);
  await context.close();
  await page.goto('/');
});
