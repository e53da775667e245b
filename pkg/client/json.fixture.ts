import fc from 'fast-check';

/** Keys and texts that look like what the scanners of JSON search for, in and out of strings. */
export const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    'managedFields',
    'metadata',
    'object',
    'items',
    '"managedFields":[',
    '},{"metadata":',
    '\\',
    '\\"',
    '{',
    '}]',
    'ü€\u2028',
  ),
);

export const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    texts,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(texts, tie('value'), { maxKeys: 5 }),
}));
