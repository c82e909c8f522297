using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>
/// Fills options from a section of the configuration and collects every problem with its key, its value and what to do about it. A key that no option has is a
/// problem too: a misspelt one would otherwise be silently without effect.
/// </summary>
[UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The options' assembly is a trimmer root: every property of every option is kept.")]
[UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "As above.")]
[UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "As above.")]
[UnconditionalSuppressMessage("Trimming", "IL2067", Justification = "As above.")]
internal static class OptionsBinder
{
    /// <summary>
    /// Fills an object's settable public properties: text, numbers, flags, enumerations, lists of texts or objects, dictionaries with names as keys, nested
    /// options.
    /// </summary>
    public static void Bind(IConfigurationSection section, object target, List<string> problems)
    {
        var properties = target.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (!properties.TryGetValue(child.Key, out var property))
                problems.Add($"{child.Path} is not a setting: remove it, or use one of {string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))}.");
            else if (Read(child, property.PropertyType, property.GetValue(target), property, problems) is { } value) property.SetValue(target, value);
        }
    }

    // Null when nothing can be set.
    private static object? Read(IConfigurationSection section, Type type, object? current, PropertyInfo property, List<string> problems)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (target == typeof(string)) return section.Value ?? "";
        if (target.IsPrimitive || target.IsEnum) return ReadScalar(section, target, current, property, problems);
        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(List<>)) return ReadList(section, target, property, problems);
        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(Dictionary<,>)) return ReadDictionary(section, target, property, problems);
        var nested = current ?? Activator.CreateInstance(target)!;
        if (section.Value is { Length: > 0 } text) problems.Add($"{section.Path} is \"{text}\": it is a section, not a value: set the keys below it.");
        Bind(section, nested, problems);
        return nested;
    }

    private static object? ReadScalar(IConfigurationSection section, Type type, object? current, PropertyInfo property, List<string> problems)
    {
        if (section.Value is not { Length: > 0 } text) return null; // the default
        var expected = type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type))
            : type == typeof(bool) ? "true or false"
            : type == typeof(double) ? "a number, such as 2.5" : "a whole number";
        object? value = null;
        if (type.IsEnum)
            value = Enum.TryParse(type, text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var named)
            && Enum.IsDefined(type, named) ? named : null;
        else if (type == typeof(bool)) value = bool.TryParse(text, out var flag) ? flag : null;
        else if (type == typeof(int)) value = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        else if (type == typeof(long)) value = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        else if (type == typeof(double))
            value = double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number : null;
        if (value is null)
            problems.Add($"{section.Path} is \"{text}\": set it to {expected}, or remove it for the "
                + $"default{(current is null ? "" : FormattableString.Invariant($", {current}"))}.");
        else if (property.GetCustomAttribute<RangeAttribute>() is { } range && !range.IsValid(value))
        {
            problems.Add($"{section.Path} is \"{text}\": {range.FormatErrorMessage(section.Key)}");
            return null;
        }
        return value;
    }

    // A list replaces the default list; in one value it may be given with commas, as environment variables like it.
    private static IList ReadList(IConfigurationSection section, Type type, PropertyInfo property, List<string> problems)
    {
        var list = (IList)Activator.CreateInstance(type)!;
        var item = type.GetGenericArguments()[0];
        if (section.Value is { } text && item == typeof(string))
        {
            foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) list.Add(part);
        }
        foreach (var child in section.GetChildren())
            if (Read(child, item, null, property, problems) is { } value) list.Add(value);
        return list;
    }

    // Names are compared exactly everywhere, as AE titles (PS3.5 6.2) and the folders of the spool are.
    private static IDictionary ReadDictionary(IConfigurationSection section, Type type, PropertyInfo property, List<string> problems)
    {
        var dictionary = (IDictionary)Activator.CreateInstance(type, StringComparer.Ordinal)!;
        foreach (var child in section.GetChildren())
            if (Read(child, type.GetGenericArguments()[1], null, property, problems) is { } value) dictionary[child.Key] = value;
        return dictionary;
    }
}
