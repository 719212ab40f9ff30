package workflow

import (
	"encoding/json"
	"maps"
)

// withContext adds an authentication context to what a sign-in has to meet:
// the ID token has to name it, beside whatever a claims challenge asks for.
func withContext(claims, context string) string {
	if context == "" {
		return claims
	}
	wanted := map[string]map[string]any{}
	if claims != "" && json.Unmarshal([]byte(claims), &wanted) != nil {
		return claims // a challenge that nobody can read is met as it is, or not at all
	}
	token := maps.Clone(wanted["id_token"])
	if token == nil {
		token = map[string]any{}
	}
	token["acrs"] = map[string]any{"essential": true, "value": context}
	wanted["id_token"] = token
	merged, err := json.Marshal(wanted)
	if err != nil {
		return claims // unreachable: it was JSON before
	}
	return string(merged)
}
