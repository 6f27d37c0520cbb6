/** The vocabulary the corpus talks in, most frequent first. */

/** Words of prose about programs. */
export const prose =
  `the to a of is and in it that this for with on be not as are from we you can if so when at by but or now
an was file which will have has test should one all only then code function there no also its after line because use into what
error first value type before each would their more same how call any new return result set i they here run two still just
where me let need make these both than other does change read check case path add name list work while request time write
data null string see fix server default up already user without between session tests next client like right empty out over
response build once index once state even number order pass three field handler table row module key through way old exactly
version since every query wrong failing query branch config instead object until again part whole log end import likely open
missing parser does current cause means possible looks start well show found very small lines cache those last second step
expected large option keep size fails matches adds reads holds happens second moves point follow worker queue stream retry
timeout lock migration endpoint schema token commit header body thread buffer record cursor page offset limit filter loader
render component hook effect property method class interface generic union constant variable argument parameter signature
behaviour edge boundary regression coverage fixture mock assertion suite runner pipeline container image deploy release tag
review comment merge conflict rebase diff patch refactor rename extract inline duplicate simplify document explain measure
profile memory allocation latency throughput batch chunk window deadline budget fallback policy permission secret credential
environment variable flag feature toggle locale encoding unicode newline whitespace indentation bracket comma quote escape`
    .split(/\s+/)
    .filter((word) => word !== '');

/** Parts of the names that code is made of. */
export const parts =
  `get set user id data list item value key name index count size path file line text node type state config
option result error request response handler session token cache store query row table column field page cursor offset limit
client server socket stream buffer chunk parse encode decode read write load save open close start stop create update remove
find filter map reduce sort merge split join format render build compile emit resolve reject retry timeout schedule queue
worker task job event listener callback promise async batch flush commit rollback transaction lock mutex pool connection
header body param arg env flag version schema model view route controller service repository factory adapter provider context
scope frame stack heap token lexer parser visitor printer writer reader iterator generator range slice window bounds matrix
vector point color style theme layout widget button dialog menu icon image font locale currency price order cart invoice
payment account profile role permission policy audit log metric trace span gauge counter histogram bucket threshold alarm`
    .split(/\s+/)
    .filter((word) => word !== '');

/** Beginnings of lines of code, `$` for names and numbers. */
export const codeShapes = [
  'const $ = $($, $);',
  'const { $, $ } = $;',
  'export function $($: string, $: number): $ {',
  'export async function $($: $): Promise<$> {',
  'if ($ === undefined) return $;',
  "if ($.$ > #) throw new Error('$ $ $');",
  'for (const $ of $.$()) {',
  'return $.$.map(($) => $($));',
  '}',
  '},',
  '',
  "import { $, $ } from '../$/$.ts';",
  '  $: $.$,',
  '  $: #,',
  'await $.$($, { $: $, $: # });',
  'let $ = #;',
  '$ += $.$;',
  '// $ $ $ $ before $ so that $ is $.',
  '/** The $ of a $; `undefined` when there is no $. */',
  'readonly $: readonly $[];',
  "test('$ $ when $ is $', () => {",
  '  assert.deepEqual($($), [$, $, #]);',
  'private readonly $: Map<string, $>;',
  'switch ($.$) {',
  "  case '$':",
  '    break;',
  'def $(self, $, $=None):',
  '    self.$ = $ or $.$()',
  '    return [$ for $ in self.$ if $.$]',
  'class $($):',
  'func ($ *$) $($ context.Context) error {',
  '\tif err != nil {',
  '\t\treturn fmt.Errorf("$ $: %w", err)',
  '<div className="$ $">{$.$}</div>',
];

/** Lines that programs print. */
export const outputShapes = [
  '✔ $ $ when $ is $ (#.#ms)',
  '  at $.$ (/home/me/work/$/src/$/$.ts:#:#)',
  'src/$/$.ts(#,#): error TS#: Type $ is not assignable to type $.',
  './src/$/$.ts:#:  const $ = $.$($);',
  './src/$/$.ts:#:    return $.$;',
  '-rw-r--r-- 1 me me # Nov # #:# $.ts',
  'drwxr-xr-x # me me # Nov # #:# $',
  '[#:#:#] INFO  $.$ $=# $=$ took #ms',
  '[#:#:#] WARN  $ $ retry # of #',
  'M src/$/$.ts',
  '?? test/$/$.test.ts',
  '@@ -#,# +#,# @@',
  '+  const $ = $.$;',
  '-  const $ = $;',
  '   const { $ } = $;',
  'npm warn deprecated $@#.#.#: use $ instead',
  'ok # - $ $ $',
  '{"level":"info","time":#,"msg":"$ $","$":#,"$":"$"}',
  '',
];
