/**
 * Taking a session out: as a `.sfs` directory, as HTML, as Markdown, or for a tool: as the file it takes in, where it has such a
 * command, else as its own files.
 */

import { basename, dirname, join, resolve } from 'node:path';
import type { Adapter, Exchange } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { htmlOf } from '../format/html.ts';
import { archiveName, directoryName, layout } from '../format/layout.ts';
import { markdownOf } from '../format/markdown.ts';
import { imageEndings } from '../format/page.ts';
import type { Page } from '../format/page.ts';
import { exists, makeFolder, namesIn, prepareFile, remove, sizeOf } from '../io/files.ts';
import { gzip } from '../io/gzip.ts';
import { tar } from '../io/tar.ts';
import type { Packed } from '../io/tar.ts';
import { readChunks } from '../io/chunks.ts';
import { prepareBelow } from '../io/place.ts';
import type { Manifest } from '../model/manifest.ts';
import type { SessionReader } from '../store/session-reader.ts';
import { audited } from './audit.ts';
import type { Context } from './context.ts';
import { openSession } from './show.ts';
import { liveSessionFor } from './live-session.ts';
import { onThread } from './on-thread.ts';
import { pageOf } from './page.ts';
import { toolNamed } from './tools.ts';

/** What is asked. `format` is `sfs`, `html`, `markdown`, or a tool's name. */
export interface ExportRequest {
  readonly session: string;
  readonly format: string;
  /** The folder to write into, made when it is missing; for `sfs` also the name of an archive ({@link archiveName}). */
  readonly output: string;
}

/** `export --json`. */
export interface Exported {
  readonly session_id: string;
  readonly format: string;
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly losses: { readonly [name: string]: number };
  /** What a person does with a file that the tool takes in by a command of its own, a sentence each. */
  readonly next?: readonly string[];
}

/** Writes the session; nothing that is there already is replaced. Throws `unknown-tool`, `unsupported-tool`, `already-exists`. */
export async function exportSession(context: Context, request: ExportRequest): Promise<Exported> {
  return audited(
    context,
    'export',
    () => exportNow(context, request),
    ({ session_id: id, format, files }) => ({
      session_id: id,
      tool: null,
      outcome: 'done',
      details: { format, files },
    }),
  );
}

async function exportNow(context: Context, request: ExportRequest): Promise<Exported> {
  const { reader } = await openSession(context, request.session);
  const done = await onThread<Exported>(context, reader.id, 'exportSession', request);
  if (done !== undefined) return done;
  const output = resolve(request.output);
  if (request.format === 'sfs' && archiveName.test(output)) {
    makeFolder(dirname(output));
    refuseExisting(output);
    prepareFile(output, gzip(tar(packed(reader)))).publish();
    return { session_id: reader.id, format: 'sfs', files: [output], losses: {} };
  }
  makeFolder(output);
  if (request.format === 'sfs')
    return { session_id: reader.id, format: 'sfs', files: copyDirectory(reader, output), losses: {} };
  const source = context.adapters.find(({ id }) => id === reader.manifest.source.tool);
  if (request.format === 'html') {
    const path = join(output, `${reader.id}.html`);
    refuseExisting(path);
    prepareFile(path, encoded(htmlOf(pageOf(reader, source)))).publish();
    return { session_id: reader.id, format: 'html', files: [path], losses: {} };
  }
  if (request.format === 'markdown' || request.format === 'md')
    return {
      session_id: reader.id,
      format: 'markdown',
      files: writeMarkdown(context, pageOf(reader, source), join(output, reader.id)),
      losses: {},
    };
  const adapter = toolNamed(context, request.format);
  if (adapter.exchange !== undefined) return handOver(context, reader, source, adapter, adapter.exchange, output);
  if (adapter.writer === undefined)
    throw new SessionFsError(
      'unsupported-tool',
      `sessions of ${adapter.name} can be captured but not written`,
      'name another tool: sfs tools',
    );
  const cwd = reader.workspace?.root_path ?? output;
  const given = await adapter.writer.prepare(context.machine, {
    home: output,
    cwd,
    version: undefined,
    nativeId: undefined,
  });
  const written = adapter.writer.write(liveSessionFor(reader, source, adapter), given);
  const files = written.files.map((file) => {
    const chunks = file.lines[Symbol.iterator]();
    const end = file.kind === 'text' ? '' : '\n';
    const prepared = prepareBelow(output, file.path, {
      *[Symbol.iterator]() {
        for (let next = chunks.next(); next.done !== true; next = chunks.next())
          yield Buffer.from(`${next.value.text}${end}`, 'utf8');
      },
    });
    prepared.publish();
    return prepared.path;
  });
  return { session_id: reader.id, format: adapter.id, files, losses: Object.fromEntries(written.losses) };
}

/** One file that the tool takes in by a command of its own. */
function handOver(
  { machine }: Context,
  reader: SessionReader,
  source: Adapter | undefined,
  adapter: Adapter,
  exchange: Exchange,
  output: string,
): Exported {
  const path = join(output, `${reader.id}.${adapter.id}.${exchange.ending}`);
  refuseExisting(path);
  const cwd = reader.workspace?.root_path ?? output;
  const given = { nativeId: machine.uuid(), cwd, now: machine.now().toISOString() };
  const { pieces, losses } = exchange.write(liveSessionFor(reader, source, adapter), given);
  prepareFile(path, encoded(pieces)).publish();
  return {
    session_id: reader.id,
    format: adapter.id,
    files: [path],
    losses: Object.fromEntries(losses),
    next: exchange.steps(path, cwd),
  };
}

/** `<base>.md`, and its images as files in `<base>.images`: a viewer shows those, and the text stays readable. */
function writeMarkdown(context: Context, page: Page, base: string): string[] {
  const path = `${base}.md`;
  const folder = `${base}.images`;
  refuseExisting(path);
  refuseExisting(folder);
  const images = new Set<string>();
  try {
    const text = markdownOf(page, (mediaType, base64) => {
      const bytes = Buffer.from(base64, 'base64');
      // Named by what it shows: the same image is kept once.
      const image = join(folder, `${context.machine.sha256(bytes).slice(0, 16)}.${imageEndings[mediaType] ?? 'png'}`);
      if (!images.has(image)) {
        makeFolder(folder);
        prepareFile(image, [bytes]).publish();
        images.add(image);
      }
      return `${basename(folder)}/${basename(image)}`;
    });
    prepareFile(path, encoded(text)).publish();
  } catch (cause) {
    remove(folder);
    throw cause;
  }
  return [path, ...images];
}

const pieceLength = 1 << 16;

/** Text as bytes, small pieces gathered. */
function* encoded(pieces: Iterable<string>): Generator<Uint8Array> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < pieceLength) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  yield Buffer.from(text, 'utf8');
}

function refuseExisting(path: string): void {
  if (exists(path))
    throw new SessionFsError(
      'already-exists',
      `${path} is there already`,
      'move it away, or name another place: --output',
    );
}

/** Without where the source lay on this machine. */
function portableManifest(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, source: { ...manifest.source, original_path: null } }, null, 2)}\n`;
}

/** The portable part: the four files, the live view and checkpoints; native bytes and local cursors stay here. */
function portableFiles(reader: SessionReader): Packed[] {
  const { commit, folder } = reader;
  const checkpoints = namesIn(join(folder, layout.checkpoints)).flatMap((name) =>
    namesIn(join(folder, layout.checkpoints, name)).map((file) => `${layout.checkpoints}/${name}/${file}`),
  );
  const manifest = Buffer.from(portableManifest(reader.manifest), 'utf8');
  const durable: { readonly [name: string]: number | undefined } = {
    [layout.messages]: commit?.messagesBytes,
    [layout.live]: commit?.liveBytes,
  };
  return [
    { name: layout.manifest, sizeBytes: manifest.length, chunks: [manifest] },
    ...[layout.messages, layout.workspace, layout.tools, layout.live, ...checkpoints.toSorted()].flatMap((name) => {
      const from = join(folder, name);
      if (!exists(from)) return [];
      const sizeBytes = durable[name] ?? sizeOf(from);
      return [{ name, sizeBytes, chunks: readChunks(from, 0, sizeBytes) }];
    }),
  ];
}

/** The same below the session's folder, as an archive holds it. */
function packed(reader: SessionReader): Packed[] {
  return portableFiles(reader).map((file) => ({ ...file, name: `${directoryName(reader.id)}/${file.name}` }));
}

function copyDirectory(reader: SessionReader, output: string): string[] {
  const target = join(output, directoryName(reader.id));
  refuseExisting(target);
  try {
    for (const { name, chunks } of portableFiles(reader)) {
      const to = join(target, name);
      makeFolder(dirname(to));
      prepareFile(to, chunks).publish();
    }
  } catch (cause) {
    remove(target);
    throw cause;
  }
  return [target];
}
