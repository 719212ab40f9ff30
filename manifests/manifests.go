// Package manifests holds the app manifests for Slack and Teams, which the
// command `elevate manifest` fills in for one installation.
package manifests

import "embed"

// Files are slack/manifest.yaml and what a Teams app package is made of.
//
//go:embed slack/manifest.yaml teams/manifest.json teams/color.png teams/outline.png
var Files embed.FS
