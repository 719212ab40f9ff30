package signin

import (
	"context"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// clientCapabilities says that we understand claims challenges. Without it Entra answers a challenge that was met with
// the same challenge again.
var clientCapabilities = []string{"CP1"}

// msal makes a client of its own for each session: MSAL wants one per person.
func (s *Service) msal(c *tokenCache) (confidential.Client, error) {
	options := []confidential.Option{
		confidential.WithHTTPClient(s.client),
		confidential.WithClientCapabilities(clientCapabilities),
		// Otherwise MSAL asks the public cloud about every host it does not know.
		confidential.WithInstanceDiscovery(false),
		// Otherwise the environment could move the token endpoint.
		confidential.WithAzureRegion(""),
	}
	if c != nil {
		options = append(options, confidential.WithCache(c))
	}
	return confidential.New(s.cfg.Authority+"/"+s.cfg.TenantID, s.cfg.ClientID, s.credential, options...)
}

// A tokenCache hands MSAL what a session held and takes back what it holds now. It serves one client and one call.
type tokenCache struct {
	content []byte
	changed bool
}

// Replace implements cache.ExportReplace.
func (c *tokenCache) Replace(_ context.Context, into cache.Unmarshaler, _ cache.ReplaceHints) error {
	if len(c.content) == 0 {
		return nil
	}
	return into.Unmarshal(c.content)
}

// Export implements cache.ExportReplace.
func (c *tokenCache) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	content, err := from.Marshal()
	if err != nil {
		return fmt.Errorf("exporting a token cache: %w", err)
	}
	c.content, c.changed = content, true
	return nil
}
