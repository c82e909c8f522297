namespace DicomServerless.Functions.Capabilities;

/// <summary>One method of one resource, as it is told to clients.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Its template below the service's root, such as <c>/studies/{study}</c>: the one that the route has.</param>
/// <param name="Name">A short name, unlike every other.</param>
/// <param name="Summary">What it does, with its section of PS3.18.</param>
internal sealed record Operation(string Method, string Path, string Name, string Summary)
{
    /// <summary>Media types of answers, the default first.</summary>
    public string[] Produces { get; init; } = [];

    /// <summary>Media types of bodies, the preferred first; none where there is no body.</summary>
    public string[] Consumes { get; init; } = [];

    /// <summary>Query parameters.</summary>
    public Parameter[] Parameters { get; init; } = [];

    /// <summary>Statuses of answers beside the general ones (400, 401, 403, 503).</summary>
    public int[] Statuses { get; init; } = [200];

    /// <summary>The names in the path's template.</summary>
    public IEnumerable<string> PathParameters =>
        Path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '}', '*'));
}

/// <summary>A query parameter.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Type">Its JSON type: string, integer or boolean.</param>
internal sealed record Parameter(string Name, string Summary, string Type = "string");
