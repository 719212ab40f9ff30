import type { HomeView, KnownBlock, ModalView } from "@slack/types";
import type { Manifest } from "@slack/web-api/dist/types/request/manifest.js";

export type Blocks = KnownBlock[];
export type View = ModalView | HomeView;
export type AppManifest = Manifest;
