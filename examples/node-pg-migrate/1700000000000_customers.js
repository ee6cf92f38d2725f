export const up = (pgm) => {
  pgm.createTable('customers', { id: 'id', name: { type: 'text', notNull: true } });
};
export const down = false;
