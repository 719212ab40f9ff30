package entra

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var (
	headerClaimsForm  = regexp.MustCompile(`(?i)(?:^|[\s,])claims="?([A-Za-z0-9+/=_-]+)"?`)
	messageClaimsForm = regexp.MustCompile(`(?i)[?&]claims=([^\s&"']+)`)
)

// headerClaims reads the challenge of a WWW-Authenticate header (base64), as JSON, or nothing.
func headerClaims(header http.Header) string {
	for _, challenge := range header.Values("WWW-Authenticate") {
		if len(challenge) < 7 || !strings.EqualFold(challenge[:7], "Bearer ") {
			continue
		}
		match := headerClaimsForm.FindStringSubmatch(challenge)
		if match == nil {
			continue
		}
		text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(match[1]), "=")
		if claims, err := base64.RawStdEncoding.DecodeString(text); err == nil && isObject(string(claims)) {
			return string(claims)
		}
	}
	return ""
}

// messageClaims reads the challenge that PIM puts into an error's message (percent-encoded), as JSON, or nothing.
func messageClaims(message string) string {
	match := messageClaimsForm.FindStringSubmatch(message)
	if match == nil {
		return ""
	}
	claims, err := url.QueryUnescape(match[1])
	if err != nil || !isObject(claims) {
		return ""
	}
	return claims
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && len(object) > 0
}
