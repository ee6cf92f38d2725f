import kubernetes from '@pulumi/kubernetes';
import { PolicyPack, validateResourceOfType } from '@pulumi/policy';
import { alsoOfReleases } from 'verdigris/policies';

/** As for any StatefulSet of the company. */
const ownRegistry = {
  name: 'own-registry',
  description: "Images come from the company's registry.",
  enforcementLevel: 'mandatory',
  validateResource: validateResourceOfType(kubernetes.apps.v1.StatefulSet, ({ spec }, _args, report) => {
    for (const { name, image } of spec.template.spec.containers)
      if (!image.startsWith('registry.example/'))
        report(`container ${name} runs ${image}. Use a mirror in registry.example.`);
  }),
};

const encryptedVolumes = {
  name: 'encrypted-volumes',
  description: 'Volumes are of a class that encrypts.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    if (type !== 'kubernetes:core/v1:PersistentVolumeClaim') return;
    const { storageClassName = 'the default' } = props.spec;
    if (!storageClassName.startsWith('encrypted'))
      report(`it is of ${storageClassName}. Declare kubernetes.storageClass, one that encrypts.`);
  },
};

new PolicyPack('company', { policies: [ownRegistry, encryptedVolumes].map(alsoOfReleases) });
