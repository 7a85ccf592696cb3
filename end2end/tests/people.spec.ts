import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { newPerson } from '../person.ts';

test.use({ serverSettings: {} });

test('an administrator finds, deactivates and reactivates an account, and the audit log records it', async ({
  person,
  page,
  browser,
  colloquy,
  hydrated,
  expectAccessible,
  pageErrors,
}) => {
  pageErrors.allow(/status of 422/);
  expect(person.name).toBeTruthy();
  const bob = { ...newPerson(), name: 'Bob Baxter' };
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const theirs = await context.newPage();
  await new AccountPages(theirs, hydrated).signUp(bob);

  await page.goto('/people');
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  await page.getByRole('searchbox').fill('baxter');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('link', { name: /Bob Baxter/ }).click();
  await expect(page.getByRole('heading', { name: 'Bob Baxter' })).toBeVisible();
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  await page.getByRole('button', { name: 'Deactivate account' }).click();
  await expect(page.getByRole('button', { name: 'Reactivate account' })).toBeVisible();
  await theirs.goto('/');
  await expect(theirs).toHaveURL(/\/sign-in/);
  await page.getByRole('button', { name: 'Reactivate account' }).click();
  await expect(page.getByRole('button', { name: 'Deactivate account' })).toBeVisible();
  await new AccountPages(theirs, hydrated).signIn(bob);
  await context.close();

  await page.goto('/audit');
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  await page.getByLabel('Event').selectOption('disable_account');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  const rows = page.getByRole('main').getByRole('listitem');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Bob Baxter');
  await expect(page.getByRole('heading', { level: 2, name: 'Today' })).toBeVisible();
  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export (JSON Lines)' }).click();
  expect((await file).suggestedFilename()).toMatch(/^audit-\d{4}-\d\d-\d\d\.jsonl$/);
});

test('an invited person can sign up', async ({ person, page, browser, colloquy, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 4(22|10)/);
  expect(person.name).toBeTruthy();
  await page.goto('/people');
  await page.getByText('Invite someone').click();
  await page.getByLabel('Email (optional)').fill('carol@example.org');
  await page.getByRole('button', { name: 'Create invitation' }).click();
  await expect(page.getByText('expires in 7 days')).toBeVisible();
  const link = await page.getByRole('textbox', { name: /[Ll]ink/ }).inputValue();
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const theirs = await context.newPage();
  await theirs.goto(link);
  const accounts = new AccountPages(theirs, hydrated);
  await expect(accounts.email).toHaveValue('carol@example.org');
  await accounts.name.fill('Carol');
  await accounts.password.fill('four wet boats row 97');
  await theirs.getByRole('button', { name: 'Create account' }).click();
  await accounts.expectSignedIn();
  await context.close();
});
