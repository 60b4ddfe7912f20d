// Drives a running Rolecall with clients written in Go: `tencent` with Tencent's SDK under each of its
// signatures, `openstack` with gophercloud. Prints what it did, a line for each step; a failure ends it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/databases"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/users"
	"github.com/gophercloud/gophercloud/v2/pagination"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

const password = "Test_password1"

func main() {
	log.SetFlags(0)
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "tencent":
		for _, method := range []string{"TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"} {
			tencent(method, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
		}
	case "openstack":
		database(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
	}
}

func tencent(method, netloc, id, key, region, instance, user string) {
	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme = "HTTP"
	settings.HttpProfile.Endpoint = netloc
	settings.SignMethod = method
	client := new(common.Client)
	client.Init(region).WithCredential(common.NewCredential(id, key)).WithProfile(settings)

	account := map[string]string{"DBInstanceId": instance, "UserName": user, "Password": password, "Type": "normal"}
	created, code := call(client, "CreateAccount", account)
	fmt.Println(method, "created", created.RequestId != "" && code == "")
	_, code = call(client, "CreateAccount", account)
	fmt.Println(method, "again", code)
	listed, _ := call(client, "DescribeAccounts", map[string]string{"DBInstanceId": instance})
	fmt.Println(method, "listed", slices.ContainsFunc(listed.Details, func(row details) bool { return row.UserName == user }))
	if _, code = call(client, "DeleteAccount", map[string]string{"DBInstanceId": instance, "UserName": user}); code != "" {
		log.Fatal(code)
	}
	fmt.Println(method, "deleted")
}

// The generated requests of the SDK have this shape; a field that is nil is not sent.
type request struct {
	*sdkhttp.BaseRequest
	DBInstanceId *string `json:"DBInstanceId,omitnil" name:"DBInstanceId"`
	UserName     *string `json:"UserName,omitnil" name:"UserName"`
	Password     *string `json:"Password,omitnil" name:"Password"`
	Type         *string `json:"Type,omitnil" name:"Type"`
}

type details struct{ UserName string }

type content struct {
	RequestId string
	Details   []details
}

type response struct {
	*sdkhttp.BaseResponse
	Response content
}

// call answers the content of `Response`, or the code of the refusal.
func call(client *common.Client, action string, params map[string]string) (content, string) {
	asked := &request{BaseRequest: &sdkhttp.BaseRequest{}}
	asked.Init().WithApiInfo("postgres", "2017-03-12", action)
	for name, field := range map[string]**string{
		"DBInstanceId": &asked.DBInstanceId, "UserName": &asked.UserName, "Password": &asked.Password, "Type": &asked.Type,
	} {
		if value, given := params[name]; given {
			*field = &value
		}
	}
	answer := &response{BaseResponse: &sdkhttp.BaseResponse{}}
	var refused *sdkerrors.TencentCloudSDKError
	if err := client.Send(asked, answer); errors.As(err, &refused) {
		return content{}, refused.Code
	} else {
		must(err)
	}
	return answer.Response, ""
}

func database(authURL, username, secret, project, instance, user string) {
	ctx := context.Background()
	provider, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: authURL, Username: username, Password: secret, DomainID: "default", TenantID: project,
	})
	must(err)
	client, err := openstack.NewDBV1(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
	must(err)

	must(databases.Create(ctx, client, instance, databases.BatchCreateOpts{{Name: user}}).ExtractErr())
	must(users.Create(ctx, client, instance, users.BatchCreateOpts{{
		Name: user, Password: password, Databases: databases.BatchCreateOpts{{Name: user}},
	}}).ExtractErr())
	fmt.Println("created")
	must(users.List(client, instance).EachPage(ctx, func(_ context.Context, page pagination.Page) (bool, error) {
		found, err := users.ExtractUsers(page)
		for _, each := range found {
			if each.Name == user {
				fmt.Println("listed", each.Databases[0].Name == user)
			}
		}
		return true, err
	}))
	must(users.Delete(ctx, client, instance, user).ExtractErr())
	must(databases.Delete(ctx, client, instance, user).ExtractErr())
	fmt.Println("deleted")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
