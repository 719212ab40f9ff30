package entra

import (
	"context"
	"net/http"
	"regexp"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"elevate/internal/pim"
)

// principalName is what a user principal name looks like. What else stands for it in an address, as "me" does or an
// object id, is somebody else's word for a person and is not asked for.
var principalName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9.-]{1,255}$`)

// PersonByName finds who has this user principal name; one who is not Found is nobody of the tenant. It proves nothing
// of whoever said the name: no decision may rest on it.
func (c *Client) PersonByName(ctx context.Context, name string) (pim.Profile, error) {
	if !principalName.MatchString(name) {
		return pim.Profile{}, nil
	}
	k, err := c.asApp(opPerson)
	if err != nil {
		return pim.Profile{}, err
	}
	var user models.Userable
	err = k.do(ctx, func(ctx context.Context) (err error) {
		user, err = k.users().ByUserId(name).Get(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: c.same.selection()},
		})
		return err
	})
	switch {
	case k.seen.status == http.StatusNotFound:
		return pim.Profile{}, nil
	case err != nil:
		return pim.Profile{}, err
	case user == nil:
		return pim.Profile{}, k.unreadable()
	}
	return c.same.profileOf(user), nil
}
