package main

import (
	"fmt"

	"elevate/internal/config"
)

// unused are the settings that somebody set and that nothing acts on in this
// version, by their path. Whoever builds one takes its line away.
func unused(cfg *config.Config) []string {
	var found []string
	note := func(path string, set bool) {
		if set {
			found = append(found, path)
		}
	}
	for i, r := range cfg.Roles {
		role := func(key string, set bool) { note(fmt.Sprintf("roles[%d].%s", i, key), set) }
		role("emergency", r.Emergency)
		role("reviewers", len(r.Reviewers) > 0)
	}
	return found
}
