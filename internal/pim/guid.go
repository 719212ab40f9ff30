package pim

import "regexp"

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsGUID reports whether a text has the form of Entra's ids.
func IsGUID(text string) bool { return guid.MatchString(text) }
