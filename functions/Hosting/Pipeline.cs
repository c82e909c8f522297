using DicomServerless.Functions.Endpoints;
using Microsoft.AspNetCore.HttpOverrides;

namespace DicomServerless.Functions.Hosting;

/// <summary>What every request goes through, and every route.</summary>
internal static class Pipeline
{
    private static readonly string[] Reading = ["GET", "HEAD"];

    /// <summary>Sets the pipeline up; it is the same under the Functions host and outside it.</summary>
    public static void Use(IApplicationBuilder app, Settings settings)
    {
        app.UseForwardedHeaders(ForwardedHeaders(settings));
        if (settings.Http.PathBase.Length > 0) app.UsePathBase(settings.Http.PathBase);
        var answersCors = settings.Http.Origins.Length > 0;
        if (answersCors || settings.Http.CorsByPlatform) app.Use((context, next) => Cors.AddHeadersAsync(context, settings.Http, next));
        if (answersCors) app.UseCors();
        app.UseMiddleware<RequestEnvelope>();
        app.Use(JoinSlashes);
        if (settings.Http.CompressJson) app.UseResponseCompression();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseMiddleware<ReadinessGate>();
        app.UseEndpoints(Map);
    }

    private static void Map(IEndpointRouteBuilder app)
    {
        app.MapMethods("/", Reading, Health.RootAsync);
        app.MapMethods("/health/live", Reading, Health.LiveAsync);
        app.MapMethods("/health/ready", Reading, Health.ReadyAsync);

        app.MapMethods("/viewer/{**path}", Reading, (HttpContext context, string? path) => ViewerPages.FileAsync(context, path));

        const string studies = "/dicomweb/studies", study = studies + "/{study}",
            series = study + "/series/{series}", instance = series + "/instances/{instance}";
        app.MapMethods("/dicomweb", ["GET", "HEAD", "OPTIONS"], CapabilityDocuments.CapabilitiesAsync);
        app.MapMethods("/dicomweb/capabilities", Reading, CapabilityDocuments.CapabilitiesAsync);
        app.MapMethods("/dicomweb/openapi.json", Reading, CapabilityDocuments.OpenApiAsync);

        app.MapPost(studies, Stow.StoreAsync);
        app.MapPost(study, Stow.StoreAsync);
        app.MapPut(instance, Stow.ReplaceAsync);

        app.MapMethods(studies, Reading, Qido.StudiesAsync);
        app.MapMethods(study + "/series", Reading, Qido.SeriesAsync);
        app.MapMethods(study + "/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/series", Reading, Qido.SeriesAsync);
        app.MapMethods(series + "/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/querytags", Reading, QueryTags.ListAsync);

        app.MapMethods(study, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(series, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(instance, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(study + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(series + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(instance + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(instance + "/frames/{frames}", Reading, WadoFrames.RetrieveAsync);
        foreach (var resource in new[] { study, series, instance })
        {
            app.MapMethods(resource + "/bulkdata", Reading, WadoCollections.BulkDataAsync);
            app.MapMethods(resource + "/pixeldata", Reading, WadoCollections.PixelDataAsync);
            app.MapMethods(resource + "/rendered", Reading, WadoRendered.RetrieveAsync);
            app.MapMethods(resource + "/thumbnail", Reading, WadoRendered.ThumbnailAsync);
        }
        app.MapMethods(instance + "/frames/{frames}/rendered", Reading, WadoRendered.FramesAsync);
        app.MapMethods(instance + "/frames/{frames}/thumbnail", Reading, WadoRendered.ThumbnailAsync);
        app.MapMethods("/dicomweb/wado", Reading, WadoUri.RetrieveAsync);
        app.MapMethods(instance + "/bulkdata/{**path}", Reading, WadoBulkData.RetrieveAsync);

        app.MapPost("/dicomweb/uploads", Uploads.BeginAsync);
        app.MapPut("/dicomweb/uploads/{id}/blocks/{number}", Uploads.PutBlockAsync);
        app.MapPost("/dicomweb/uploads/{id}/complete", Uploads.CompleteAsync);

        const string commitment = "/dicomweb/commitment-requests/{transaction}";
        app.MapPost(commitment, Commitment.RequestAsync);
        app.MapMethods(commitment, Reading, Commitment.ResultAsync);

        app.MapDelete(study, Delete.DeleteAsync);
        app.MapDelete(series, Delete.DeleteAsync);
        app.MapDelete(instance, Delete.DeleteAsync);
    }

    // Clients that join a base URL and a path send "//studies": it means what it means without the second slash. Trailing slashes are the router's to ignore.
    private static Task JoinSlashes(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is { } path && path.Contains("//", StringComparison.Ordinal))
            context.Request.Path = "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries)) + (path.EndsWith('/') ? "/" : "");
        return next(context);
    }

    private static ForwardedHeadersOptions ForwardedHeaders(Settings settings)
    {
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders.All,
            ForwardLimit = null, // each step is checked against the trusted proxies
        };
        options.KnownIPNetworks.Clear();
        options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse("127.0.0.0/8"));
        options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse("::1/128"));
        foreach (var network in settings.Proxies) options.KnownIPNetworks.Add(network);
        return options;
    }
}
