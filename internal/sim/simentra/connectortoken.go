package simentra

import (
	"errors"
	"slices"
	"strings"

	"elevate/internal/sim/cast"
)

// forConnector reports whether a scope asks for a token of the Bot Framework's connector. MSAL adds the OpenID scopes.
func forConnector(scope string) bool {
	words := slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return slices.Contains(oidcScopes, s) })
	return len(words) == 1 && words[0] == cast.ConnectorURL+"/.default"
}

// connectorAnswer issues a token for the connector. Any app of the tenant gets one; the connector knows which is a bot.
func (s *Server) connectorAnswer(a *app, wish claimsRequest) (map[string]any, *loginError) {
	claims := s.appClaims(a, wish)
	claims["aud"] = cast.ConnectorURL
	return s.tokenAnswer(claims)
}

// ConnectorCaller reads a bearer token as the connector does: which app it was issued to, and in which tenant.
func (s *Server) ConnectorCaller(raw string) (appID, tenant string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.keys.verify(raw)
	if err != nil {
		return "", "", err
	}
	audience, err := claims.GetAudience()
	if err != nil || !slices.Contains(audience, cast.ConnectorURL) {
		return "", "", errors.New("the token is for somebody else")
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil || !s.machine().Before(expires.Time) {
		return "", "", errors.New("the token has expired")
	}
	return text(claims, "appid"), text(claims, "tid"), nil
}
