/** What is known about a session besides its messages: manifest, workspace, tools. Shapes of the 0.1.0 schemas. */

import type { Json } from './json.ts';

/** The format version every manifest states. */
export const sfsVersion = '0.1.0';

/** Where a session came from. */
export interface SourceInfo {
  /** An adapter id, for example `claude-code`. */
  readonly tool: string;
  readonly tool_version?: string | null;
  readonly sfs_converter_version?: string | null;
  readonly original_session_id?: string | null;
  readonly original_path?: string | null;
  readonly interface?: string | null;
}

/** Totals over the session's own part. */
export interface Stats {
  readonly message_count: number;
  readonly turn_count: number;
  readonly tool_use_count: number;
  /** Tokens sent that were not read from or written to a cache. */
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
  readonly estimated_cost_usd: number | null;
  readonly duration_ms: number | null;
}

/** Tokens by model, each provider response counted once. */
export interface ModelUsage {
  readonly provider: string | null;
  readonly responses: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly reasoning_tokens: number;
}

/** Where a child's own part begins: everything up to `msg` belongs to `session`. */
export interface Base {
  readonly session: string;
  readonly msg: string | null;
}

/** What the schema has no field for. Keys this version writes; others are kept as they are. */
export interface ManifestMetadata {
  readonly base?: Base;
  /** What could not be carried from the source, by name. */
  readonly losses?: { readonly [name: string]: number };
  readonly usage?: { readonly [model: string]: ModelUsage };
  /** Which call started which sub-agent: agent id → tool_use_id. */
  readonly agent_calls?: { readonly [agentId: string]: string };
  /** The title a person gave in SessionFS; it wins over whatever the source says. */
  readonly named?: string;
  /** The checkpoint of the parent that a fork was made from. */
  readonly forked_from_checkpoint?: string;
  /** How the title came about. */
  readonly title_by?: 'person' | 'model' | 'prompt';
  readonly [key: string]: unknown;
}

/** One sub-agent of the session. */
export interface SubAgent {
  readonly agent_id: string;
  readonly model?: string | null;
  readonly message_count?: number;
}

/** `manifest.json`. */
export interface Manifest {
  readonly sfs_version: typeof sfsVersion;
  readonly session_id: string;
  readonly title?: string | null;
  readonly tags?: readonly string[];
  readonly created_at: string;
  readonly updated_at?: string | null;
  readonly source: SourceInfo;
  readonly model?: {
    readonly provider?: string;
    readonly model_id?: string;
    readonly reasoning_effort?: 'low' | 'medium' | 'high' | null;
  } | null;
  readonly ownership?: {
    readonly owner?: string | null;
    readonly team?: string | null;
    readonly collaborators?: readonly { readonly user: string; readonly access: 'read' | 'write' | 'admin' }[];
  } | null;
  readonly stats?: Stats | null;
  readonly sync?: {
    readonly last_sync_at?: string | null;
    readonly etag?: string | null;
    readonly dirty?: boolean;
    readonly remote_url?: string | null;
  } | null;
  readonly parent_session_id?: string | null;
  readonly checkpoint_count?: number;
  readonly sub_agents?: readonly SubAgent[];
  readonly metadata?: ManifestMetadata;
}

/** What a session did with a file; later in the list wins over earlier. */
export const fileRoles = ['referenced', 'read', 'edited', 'written', 'created', 'deleted'] as const;

/** One of {@link fileRoles}. */
export type FileRole = (typeof fileRoles)[number];

/** The repository a session ran in, as the source recorded it. */
export interface GitContext {
  readonly remote_url?: string | null;
  readonly branch?: string | null;
  readonly commit_sha?: string | null;
  readonly commit_message?: string | null;
  readonly dirty?: boolean;
  readonly diff_path?: string | null;
}

/** `workspace.json`. */
export interface Workspace {
  /** Absolute path on the machine of the capture. */
  readonly root_path: string;
  readonly git?: GitContext | null;
  readonly files?: readonly {
    /** Relative to `root_path`. */
    readonly path: string;
    readonly sha256?: string | null;
    readonly size_bytes?: number | null;
    readonly last_modified?: string | null;
    readonly role?: FileRole;
  }[];
  readonly environment?: {
    readonly os?: string | null;
    readonly os_version?: string | null;
    readonly shell?: string | null;
    readonly languages?: { readonly [language: string]: string };
    readonly venv_path?: string | null;
  } | null;
  readonly metadata?: { readonly [key: string]: Json | undefined };
}

/** `tools.json`. */
export interface Tools {
  readonly mcp_servers?: readonly {
    readonly name: string;
    readonly uri?: string | null;
    readonly transport?: 'stdio' | 'sse' | 'http' | null;
    readonly tools_provided?: readonly string[];
    readonly auth_ref?: string | null;
  }[];
  readonly shell?: {
    readonly default_shell?: string | null;
    readonly working_directory?: string | null;
    readonly sandbox_policy?: string | null;
    readonly approval_policy?: string | null;
  } | null;
  readonly custom_tools?: readonly {
    readonly name: string;
    readonly description?: string | null;
    readonly parameters_schema?: { readonly [key: string]: Json | undefined } | null;
    readonly source?: string | null;
  }[];
  readonly tools_used?: readonly string[];
  readonly metadata?: { readonly [key: string]: Json | undefined };
}
