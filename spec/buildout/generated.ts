import fc from 'fast-check';

/** Files of one buildout, and how it is read. */
export interface Generated {
  readonly files: Readonly<Record<string, string>>;
  readonly userDefaults: string | null;
  readonly overrides: readonly (readonly [section: string, option: string, value: string])[];
}

const SECTIONS = ['buildout', 'buildout', 'versions', 'a', 'b', 'c.d', 'e'];
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  buildout: [
    'x',
    'parts',
    'eggs-directory',
    'bin-directory',
    'develop-eggs-directory',
    'installed',
    'find-links',
    'download-cache',
  ],
  versions: ['Pillow', 'pillow', 'foo.bar', 'foo_bar', 'Foo-Bar', 'zc.buildout', 'zc.recipe.egg', '10', '9'],
};
const CONDITIONS = [
  'python3',
  ' python2 ',
  ' python_version >= "3"',
  'python_version < "3" or sys_platform == "win32"',
  'not windows and (bits32 or bits64)',
  'cpython ] # [hash]',
];

const word = fc.constantFrom(
  '1',
  '2',
  '3',
  'x=y',
  '"q"',
  'true',
  '# no',
  'a;b',
  '$',
  '$$',
  '$${a:x}',
  '[z]',
  '>=1',
  '==2',
  'é',
  '__proto__',
);

const reference = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c.d', 'e', '', 'buildout'), fc.constantFrom('x', 'y', 'Zed', 'x', 'y'))
      .map(([section, key]) => `\${${section}:${key}}`),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '${buildout:directory}',
      '${:_buildout_section_name_}',
      '${b:_buildout_section_name_}',
      '${buildout:eggs-directory}',
      '$$${a:x}',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('${x}', '${a:b:c}', '${no:x}', '${a/:x}', '${a:x', '${a:y!}', '${versions:foo.bar}'),
  },
);

const piece = fc.oneof({ weight: 24, arbitrary: word }, { weight: 1, arbitrary: reference });
const line = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(' '));
const indent = fc.constantFrom(' ', '  ', '    ', '\t', '  \t');
const continuation = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(indent, line).map(([blanks, text]) => blanks + text) },
  { weight: 1, arbitrary: fc.constantFrom('', '   ', '# comment', '; comment', '    # kept') },
);

function option(names: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom(...names),
      fc.constantFrom('=', ' = ', ' = ', ' =', ' += ', ' +=', ' -= '),
      fc.oneof(fc.constant(''), line),
      fc.array(continuation, { maxLength: 3 }),
    )
    .map(([name, operator, value, more]) => [`${name}${operator}${value}`, ...more].join('\n'));
}

const macro = fc
  .array(fc.constantFrom('a', 'b', 'c.d', 'a', 'b', 'c.d', 'a', 'b', 'nowhere'), { minLength: 1, maxLength: 2 })
  .map((names) => `<= ${names.join('\n    ')}`);

const section = fc.constantFrom(...SECTIONS).chain((name) => {
  const plain = option(OPTIONS[name] ?? ['x', 'x', 'y', 'Zed', 'recipe', '__proto__']);
  const rare = name === 'buildout' || name === 'versions' ? plain : macro;
  return fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...CONDITIONS) }),
      plain,
      fc.array(fc.oneof({ weight: 5, arbitrary: plain }, { weight: 1, arbitrary: rare }), { maxLength: 3 }),
      fc.constantFrom('', '', '', ' # comment', ';'),
    )
    .map(([condition, first, rest, comment]) => {
      const closing = condition.includes(']') ? '' : `]${comment}`;
      const header = condition === '' ? `[${name}]${comment}` : `[${name}:${condition}${closing}`;
      return [header, first, ...rest].join('\n');
    });
});

/** So that most references lead somewhere. */
const BASE = ['a', 'b', 'c.d', 'e'].map((name) => `[${name}]\nx = 1\n  2\ny = ${name}\nZed =`).join('\n');

/** Begins with a section that counts and has an option: for others zc.buildout and this project differ on purpose. */
function file(extendable: readonly string[], base = ''): fc.Arbitrary<string> {
  const extended = extendable.length === 0 ? fc.constant<string[]>([]) : fc.subarray([...extendable], { minLength: 1 });
  const bad = fc.oneof(
    { weight: 80, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('\nmy key = 1', '\nx: 1', '\n[a b]') },
  );
  return fc
    .tuple(
      extended,
      fc.array(section, { minLength: 1, maxLength: 4 }),
      bad,
      fc.constantFrom('\n', '\n', '\n\n', '\r\n'),
    )
    .map(([names, sections, wrong, end]) => {
      const begin = `[buildout]\nx = 0${names.length > 0 ? `\nextends =\n  ${names.join('\n  ')}` : ''}`;
      return `${[begin, ...(base === '' ? [] : [base]), ...sections].join('\n')}${wrong}\n`.replaceAll('\n', end);
    });
}

const override = fc.tuple(fc.constantFrom('buildout', 'a', 'new'), fc.constantFrom('x', 'y', 'x +', 'x -'), word);

/** Buildouts of up to four files, with conditions, operators, macros, substitutions, and now and then a mistake. */
export const generatedBuildout: fc.Arbitrary<Generated> = fc
  .tuple(
    file(['a.cfg', 'sub/c.cfg', 'b.cfg']),
    file(['sub/c.cfg']),
    file(['a.cfg']),
    file([], BASE),
    fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: file([]) }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.uniqueArray(override, { maxLength: 3, selector: ([name, key]) => `${name}:${key}` }) },
    ),
  )
  .map(([main, a, b, c, userDefaults, overrides]) => ({
    files: { 'main.cfg': main, 'a.cfg': a, 'b.cfg': b, 'sub/c.cfg': c },
    userDefaults,
    overrides,
  }));
