// Package manifests holds the app manifests for Slack and Teams and that of the
// registration in Entra, which the command `elevate manifest` fills in for one
// installation.
package manifests

import "embed"

// Files are slack/manifest.yaml, the registration's manifest with its steps, and what a Teams app package is made of.
//
//go:embed entra/manifest.json entra/steps.md slack/manifest.yaml teams/manifest.json teams/color.png teams/outline.png
var Files embed.FS
