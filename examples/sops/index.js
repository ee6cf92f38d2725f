// A Pulumi program: what sops decrypts is a Secret of the cluster, and a secret in Pulumi's state.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { Environment } from 'verdigris/pulumi';
import { parse } from 'yaml';

const folder = import.meta.dirname;
const declaration = parse(readFileSync(path.join(folder, 'shop.yaml'), 'utf8'));
const passwords = JSON.parse(
  execFileSync('sops', ['decrypt', '--output-type', 'json', path.join(folder, 'passwords.yaml')], { encoding: 'utf8' }),
);
const secret = new kubernetes.core.v1.Secret('shop-passwords', {
  metadata: { name: 'shop-passwords', namespace: declaration.kubernetes.namespace },
  stringData: pulumi.secret(passwords),
});
export const { address } = new Environment('shop', { declaration, folder }, { dependsOn: [secret] });
