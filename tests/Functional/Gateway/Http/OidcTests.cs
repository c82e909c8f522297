using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using static System.Buffers.Text.Base64Url;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class OidcTests
{
    [Theory]
    [InlineData("dicom-admin", "gateway", null, HttpStatusCode.OK)]
    [InlineData("guest", "gateway", null, HttpStatusCode.Forbidden)]
    [InlineData("dicom-admin", "another", null, HttpStatusCode.Forbidden)]
    [InlineData("dicom-admin", "gateway", "replayed", HttpStatusCode.Forbidden)]
    public async Task A_login_at_a_provider_needs_the_role_the_audience_and_the_nonce(string role, string audience, string? otherNonce, HttpStatusCode expected)
    {
        var (challenge, nonce) = ("", "");
        await using var provider = Provider(form =>
        {
            Assert.Equal(("authorization_code", "the-code"), (form["grant_type"].ToString(), form["code"].ToString()));
            // RFC 7636 4.6
            Assert.Equal(challenge, EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))));
            return (audience, otherNonce ?? nonce, role);
        });
        await provider.StartAsync();
        await using var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Http__Oidc__Authority"] = provider.Urls.Single(), ["Gateway__Http__Oidc__ClientId"] = "gateway",
                ["Gateway__Http__Oidc__ClientSecret"] = "s e", ["Gateway__Http__Oidc__RequiredRole"] = "dicom-admin",
        });
        Assert.Equal(HttpStatusCode.Unauthorized, (await archive.Client.GetAsync("/api/status")).StatusCode);
        var begin = await archive.Client.GetAsync("/login/oidc");
        var query = QueryHelpers.ParseQuery(begin.Headers.Location!.Query);
        (challenge, nonce) = (query["code_challenge"].ToString(), query["nonce"].ToString());
        Assert.Equal("S256", query["code_challenge_method"].ToString());
        var back = $"/login/oidc/callback?code=the-code&state={query["state"]}";
        Assert.Equal(HttpStatusCode.BadRequest, (await archive.Client.GetAsync(back)).StatusCode); // without the browser's cookie
        var end = await SendAsync(archive, back, begin.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        Assert.Equal(expected, end.StatusCode);
        var session = end.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? cookies.FirstOrDefault(cookie => cookie.StartsWith("dicom-gateway-session=", StringComparison.Ordinal)) : null;
        Assert.Equal(expected == HttpStatusCode.OK, session is not null);
        if (session is not null) Assert.Equal(HttpStatusCode.OK, (await SendAsync(archive, "/api/status", session.Split(';')[0])).StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(RefusingArchive archive, string path, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Cookie", cookie);
        return await archive.Client.SendAsync(request);
    }

    private static WebApplication Provider(Func<IFormCollection, (string Audience, string Nonce, string Role)> redeem)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/.well-known/openid-configuration", async context =>
        {
            var issuer = $"http://{context.Request.Host}";
            await context.Response.WriteAsync(
                $$"""{"issuer":"{{issuer}}","authorization_endpoint":"{{issuer}}/authorize","token_endpoint":"{{issuer}}/token"}""");
        });
        app.MapPost("/token", async context =>
        {
            Assert.Equal("Basic " + Convert.ToBase64String("gateway:s%20e"u8), context.Request.Headers.Authorization.ToString());
            var (audience, nonce, role) = redeem(await context.Request.ReadFormAsync());
            var expires = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
            var payload = $$"""{"iss":"http://{{context.Request.Host}}","aud":["{{audience}}"],"exp":{{expires}}"""
                + $$""","nonce":"{{nonce}}","sub":"1","preferred_username":"ada","roles":["{{role}}"]}""";
            await context.Response.WriteAsync($$"""{"id_token":"e30.{{EncodeToString(Encoding.UTF8.GetBytes(payload))}}.c2ln"}""");
        });
        return app;
    }
}
