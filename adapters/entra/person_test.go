package entra_test

import (
	"net/http"
	"testing"

	"elevate/internal/pim"
)

func TestAPersonIsFoundByTheirPrincipalNameAlone(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		switch call.path {
		case "/v1.0/users/alice@contoso.com":
			reply(w, 200, `{"id":"`+string(alice)+`","displayName":"Alice","accountEnabled":true,"userType":"Member"}`)
		case "/v1.0/users/late@contoso.com":
			reply(w, 503, `{}`)
		default:
			reply(w, 404, standard("Request_ResourceNotFound", "no"))
		}
	})
	c := client(t, config(g))
	who, err := c.PersonByName(t.Context(), "alice@contoso.com")
	if err != nil || who.ID != alice || !who.Found || who.MayAct() != nil {
		t.Errorf("%+v, %v", who, err)
	}
	if who, err := c.PersonByName(t.Context(), "zoe@contoso.com"); err != nil || who.Found {
		t.Errorf("nobody was found as %+v, %v", who, err)
	}
	if _, err := c.PersonByName(t.Context(), "late@contoso.com"); !pim.IsKind(err, pim.Unavailable) {
		t.Errorf("a Graph that is down said %v", err)
	}
	asked := len(g.calls)
	for _, odd := range []string{"", "me", string(alice), "a@b/../../me", "a@b?$select=id", "a'b@", "@b", "a@b\n", "a@b#c"} {
		if who, err := c.PersonByName(t.Context(), odd); err != nil || who.Found {
			t.Errorf("%q: %+v, %v", odd, who, err)
		}
	}
	if n := len(g.calls); n != asked {
		t.Errorf("Graph was asked for what is no principal name, %d times", n-asked)
	}
}
