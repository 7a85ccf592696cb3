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
