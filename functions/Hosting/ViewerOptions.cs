namespace DicomServerless.Functions.Hosting;

/// <summary>Options of the OHIF viewer at <c>/viewer/</c>, section <c>Viewer</c>.</summary>
public sealed class ViewerOptions
{
    /// <summary>Whether it is shown. Default true: where its folder is there.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The folder that infra/viewer.mjs has made; relative to the program. Default viewer.</summary>
    public string Path { get; set; } = "viewer";

    /// <summary>
    /// A JavaScript file that sets <c>window.config</c>, in place of the configuration that points at this service; null for that. Default null.
    /// </summary>
    public string? ConfigurationFile { get; set; }
}
