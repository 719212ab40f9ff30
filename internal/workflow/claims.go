package workflow

import (
	"encoding/json"
	"maps"

	"elevate/internal/pim"
	"elevate/internal/store"
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

// challengeOf is what PIM wanted of the sign-in that ended an intent, for the step that goes on.
func challengeOf(in store.Intent) *string {
	if !in.Challenged {
		return nil
	}
	return &in.Claims
}

// met reports whether the sign-in before this step was made for just this challenge.
func (d decision) met(claims string) bool { return d.Challenge != nil && *d.Challenge == claims }

// stillChallenged ends what would go round for ever: a sign-in for just this challenge did not meet it.
func stillChallenged(said *pim.Error) *pim.Error {
	again := *said
	again.Message = "You signed in anew, and PIM wants the same once more. " + said.Message + " If it stays so, tell an administrator: " +
		"a Conditional Access policy has to give your sign-in what this role asks for, multifactor authentication or an authentication context."
	return &again
}
