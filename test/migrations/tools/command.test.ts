import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { withMigrationRole } from '../../../src/migrations/engines/role.ts';
import { connectionEnv } from '../../../src/postgres/connection-env.ts';
import { rows } from '../../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { temporaryFolder, testMajor } from '../../support/postgres.ts';
import { fetchLimit, pythonBin, useKnex } from './tools.ts';

/** One migration of each tool: a table, and from the second on a column of the one before. */
function migrations(number: number): Readonly<Record<string, string>> {
  const before = number - 1;
  const statements = (letter: string): string =>
    `CREATE TABLE ${letter}${number} (id int PRIMARY KEY);` +
    (before > 0 ? ` ALTER TABLE ${letter}${before} ADD COLUMN note text;` : '');
  return {
    [`knex/${number}_k.mjs`]: `export const up = (knex) => knex.raw('${statements('k')}');\nexport const down = () => {};\n`,
    [`steps/versions/${number}.py`]: `from alembic import op
revision = 'r${number}'
down_revision = ${before > 0 ? `'r${before}'` : 'None'}
def upgrade(): op.execute('${statements('a')}')
def downgrade(): pass
`,
    [`shop/migrations/000${number}_d.py`]: `from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [${before > 0 ? `('shop', '000${before}_d')` : ''}]
    operations = [migrations.RunSQL('${statements('d')}')]
`,
  };
}

const project = (bin: string): Readonly<Record<string, string>> => ({
  'knexfile.mjs':
    "export default { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './knex', loadExtensions: ['.mjs'] } };\n",
  'alembic.ini': '[alembic]\nscript_location = steps\n',
  'steps/env.py': `import os
from alembic import context
from sqlalchemy import create_engine
with create_engine(os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`,
  'settings.py': `import os
SECRET_KEY = 'x'
INSTALLED_APPS = ['shop']
of = os.environ
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': of['PGDATABASE'], 'USER': of['PGUSER'],
  'PASSWORD': of['PGPASSWORD'], 'HOST': of['PGHOST'], 'PORT': of['PGPORT']}}
`,
  'shop/__init__.py': '',
  'shop/models.py': '',
  'shop/migrations/__init__.py': '',
  'migrate.sh': `#!/bin/sh -e
export PYTHONDONTWRITEBYTECODE=1
node_modules/.bin/knex migrate:latest
${bin}/alembic upgrade head
${bin}/django-admin migrate --settings settings --pythonpath . --noinput
`,
  // Each ends with an error where something is left to do.
  'status.sh': `#!/bin/sh -e
export PYTHONDONTWRITEBYTECODE=1
node_modules/.bin/knex migrate:list | grep 'No Pending'
${bin}/alembic current --check-heads
${bin}/django-admin migrate --check --settings settings --pythonpath .
`,
});

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
    if (name.endsWith('.sh')) await chmod(path.join(folder, name), 0o755);
  }
}

/** What the tools themselves say of a colour: an error where one of them has something to do. */
async function status({ on, platform, environment }: TestEnvironment, colour: 'blue' | 'green', folder: string) {
  const connection = { ...(await platform.servers.connection(colour)), database: environment.database };
  await on(colour, (client) =>
    withMigrationRole({ client, connection, lockTimeout: 5_000, statementTimeout: 60_000 }, (login) =>
      execa(path.join(folder, 'status.sh'), { cwd: folder, env: connectionEnv(login) }),
    ),
  );
}

test(
  'three releases by Knex, Alembic and Django: each runs what is new, once, and finds nothing to do on the colour that is live',
  { timeout: fetchLimit },
  async () => {
    const bin = await pythonBin();
    const folder = await temporaryFolder();
    try {
      await useKnex(folder);
      await put(folder, { ...project(bin), ...migrations(1) });
      const runs = { postgres: testMajor, migrations: folder, engine: { command: ['./migrate.sh'] } };
      const declaration = { colours: { blue: { release: '1', ...runs }, green: { release: '2', ...runs } } };
      await withEnvironment({ declaration }, async (environment) => {
        await status(environment, 'blue', folder);
        for (const [release, colour] of [
          [2, 'green'],
          [3, 'blue'],
        ] as const) {
          await put(folder, migrations(release));
          await expect(status(environment, colour === 'green' ? 'blue' : 'green', folder)).rejects.toThrow();
          for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await environment.verb(verb);
          await status(environment, colour, folder);
          const made = await environment.on(colour, (client) =>
            rows<{ name: string }>(
              client,
              "SELECT relname AS name FROM pg_class WHERE relname ~ '^[kad][0-9]$' ORDER BY 1",
            ),
          );
          expect(made).toHaveLength(3 * release);
          await environment.verb('retire');
        }
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
