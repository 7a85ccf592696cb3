// What the forms of the settings do with scripts only.
import { expect, test } from '../fixtures.ts';

test('Cancel drops what was typed, and what was saved stays', async ({ settings, person }) => {
  await settings.open();
  const name = settings.section('Name');
  const field = name.getByLabel('Name', { exact: true });
  await settings.edit('Name');
  await field.fill('Somebody else');
  await name.getByText('Cancel').click();
  await settings.edit('Name');
  await expect(field).toHaveValue(person.name);
  await field.fill('Ada King');
  await name.getByRole('button', { name: 'Save' }).click();
  await expect(name.locator('.setting-value')).toHaveText('Ada King');
  await settings.edit('Name');
  await field.fill('Somebody else');
  await name.getByText('Cancel').click();
  await settings.edit('Name');
  await expect(field).toHaveValue('Ada King');
});

test('an old link to a section moves on to the page of the section', async ({ page, person, settings }) => {
  expect(person.email).toBeTruthy();
  for (const [section, title, path] of [
    ['locale', 'Language and time', '/settings'],
    ['devices', 'Devices', '/settings/security'],
    ['delete', 'Delete account', '/settings/data'],
  ] as const) {
    await page.goto('/');
    await page.goto(`/settings#${section}`, { waitUntil: 'commit' });
    await expect(page).toHaveURL(new RegExp(`${path}#${section}$`));
    await expect(settings.section(title)).toBeInViewport();
  }
  // The old link is not in the history: Back would lead in a circle.
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
});
