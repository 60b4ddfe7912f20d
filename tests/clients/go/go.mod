module rolecall.test/clients

go 1.25.0

require (
	github.com/gophercloud/gophercloud/v2 v2.15.0
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common v1.3.166
)
